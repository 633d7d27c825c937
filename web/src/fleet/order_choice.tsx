// By what the table is ordered, where there is no Shift to click a second heading with.
import { setQuery } from "../router.ts";
import { CloseIcon } from "../shell/icons.tsx";
import { type Sorting, sortText, sortWords, turnedRound, WORST, withoutSort, withSort } from "./order.ts";
import { columns, sorts } from "./shown.ts";

const order = (next: readonly Sorting[]): void => setQuery({ sort: sortText(next) });

export function OrderChoice() {
  const all = sorts.value;
  const isWorst = sortText(all) === null;
  const others = ["name", ...columns.value].filter((column) => !all.some(({ by }) => by === column));
  return (
    <fieldset class="order-choice">
      <legend>Order</legend>
      <ol>
        {all.map(({ by, descending }) => (
          <li key={by}>
            <button type="button" class="quiet" title="Turn round" onClick={() => order(turnedRound(all, by))}>
              {sortWords(by)} <span aria-hidden="true">{descending ? "↓" : "↑"}</span>
              <span class="hidden">{descending ? "descending" : "ascending"}</span>
            </button>
            {!isWorst && (
              <button
                type="button"
                class="quiet"
                aria-label={`Do not sort by ${sortWords(by)}`}
                onClick={() => order(withoutSort(all, by))}
              >
                <CloseIcon />
              </button>
            )}
          </li>
        ))}
      </ol>
      <select
        aria-label="Then by"
        value=""
        onChange={({ currentTarget }) => {
          order(withSort(all, currentTarget.value));
          currentTarget.value = "";
        }}
      >
        <option value="">{isWorst ? "Sort by …" : "Then by …"}</option>
        {others.map((column) => (
          <option key={column} value={column}>
            {sortWords(column)}
          </option>
        ))}
      </select>
      {!isWorst && (
        <button type="button" class="quiet" onClick={() => order(WORST)}>
          Worst first
        </button>
      )}
    </fieldset>
  );
}
