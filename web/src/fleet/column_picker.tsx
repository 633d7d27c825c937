// By what the table is ordered, which columns it has, and how close its rows stand.
import { metricOf } from "../api/catalogue.ts";
import { density } from "../preferences.ts";
import { setQuery } from "../router.ts";
import { OrderChoice } from "./order_choice.tsx";
import { columns, hasSparks, isCompact } from "./shown.ts";
import { COLUMNS, columnsText, columnWords, isFact, withColumn } from "./view.ts";

export function ColumnPicker() {
  const chosen = columns.value;
  const others = chosen.filter((one) => !COLUMNS.includes(one));
  const choice = [...COLUMNS, ...others];
  const box = (column: string) => (
    <label key={column} title={metricOf(column)?.metric.meaning}>
      <input
        type="checkbox"
        checked={chosen.includes(column)}
        onChange={() => setQuery({ cols: columnsText(withColumn(chosen, column)) }, { replace: true })}
      />
      {columnWords(column)}
    </label>
  );
  return (
    <>
      <OrderChoice />
      <fieldset>
        <legend>Columns</legend>
        {choice.filter(isFact).map(box)}
      </fieldset>
      <fieldset>
        <legend>Metrics</legend>
        {choice.filter((one) => !isFact(one)).map(box)}
      </fieldset>
      <fieldset>
        <legend>Rows</legend>
        <label>
          <input
            type="checkbox"
            checked={hasSparks.value}
            onChange={() => setQuery({ spark: hasSparks.value ? "0" : null }, { replace: true })}
          />
          Sparklines
        </label>
        <label>
          <input
            type="checkbox"
            checked={isCompact.value}
            onChange={() => {
              const next = isCompact.value ? "comfortable" : "compact";
              setQuery({ density: next === density.value ? null : next }, { replace: true });
            }}
          />
          Compact
        </label>
        <button type="button" class="quiet" onClick={() => setQuery({ cols: null, spark: null, density: null })}>
          Reset columns
        </button>
      </fieldset>
    </>
  );
}
