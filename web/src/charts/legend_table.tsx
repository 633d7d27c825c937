// A chart's legend when it is open: every line with its value and its statistics over the range, sorted by any of them.
import type { ReadonlySignal, Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import type { Loading } from "../api/loading.ts";
import { quantity } from "../format.ts";
import { base } from "../preferences.ts";
import { Scroller } from "../shell/scroller.tsx";
import { COLUMNS, type ColumnName, type Order, type RowStat, rowsOf } from "./legend_rows.ts";
import type { LatestWord, Model } from "./model.ts";
import { Swatch } from "./swatch.tsx";

const WORDS: Record<ColumnName, string> = { value: "Here", min: "Min", avg: "Avg", max: "Max", p95: "p95" };

interface LegendTableProps {
  title: string;
  unit: string;
  drawn: ReadonlySignal<Model | null>;
  cursor: ReadonlySignal<number | null>;
  solo: Signal<string | null>;
  /** Null: this page has none. */
  stats: ReadonlySignal<Loading<readonly RowStat[]>> | null;
  latest: LatestWord;
}

export function LegendTable({ title, unit, drawn, cursor, solo, stats, latest }: LegendTableProps) {
  const order = useSignal<Order>(null);
  const asked = stats?.value ?? null;
  const columns = COLUMNS.filter((name) => name === "value" || stats !== null);
  const rows = rowsOf(drawn.value?.legend ?? [], cursor.value, asked?.value ?? [], order.value);
  const heading = (name: ColumnName | "name", words: string) => (
    <th scope="col" class={name === "name" ? "" : "n"} aria-sort={ariaSort(name, order.value)}>
      <button
        type="button"
        onClick={() => {
          order.value = order.value === name ? null : name;
        }}
      >
        {words}
      </button>
    </th>
  );
  return (
    <Scroller label={`Values of ${title}`}>
      <table class="legend-table" aria-busy={asked?.loading}>
        <thead>
          <tr>
            {heading("name", "Line")}
            {columns.map((name) => heading(name, name === "value" && cursor.value === null ? latest : WORDS[name]))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.key} ${row.name}`} class={solo.value !== null && solo.value !== row.key ? "unlit" : ""}>
              <th scope="row">
                <button
                  type="button"
                  aria-pressed={solo.value === row.key}
                  title={solo.value === row.key ? "Show all" : `Show only ${row.name}`}
                  onClick={() => {
                    solo.value = solo.value === row.key ? null : row.key;
                  }}
                >
                  <Swatch paint={row} />
                  <span>{row.name}</span>
                </button>
              </th>
              {columns.map((name) => {
                const number = quantity(row.values[name], unit, base());
                return (
                  <td key={name} class="n">
                    {number.value} <small>{number.unit}</small>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {asked?.error && <p class="stats-error">The statistics are not known at the moment. {asked.error}</p>}
    </Scroller>
  );
}

function ariaSort(name: ColumnName | "name", order: Order): "ascending" | "descending" | undefined {
  if (order !== name) return undefined;
  return name === "name" ? "ascending" : "descending";
}
