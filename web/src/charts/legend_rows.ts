// The rows of a chart's legend when it is open: a line's values and its statistics, in the order that is asked for. Pure.
import { type LegendLine, type Paint, readingsAt } from "./model.ts";

/** Statistics of one metric of one instance over the range. */
export interface RowStat {
  metric: string;
  instance: string;
  min: number | null;
  avg: number | null;
  max: number | null;
  p95: number | null;
}

export const COLUMNS = ["value", "min", "avg", "max", "p95"] as const;
export type ColumnName = (typeof COLUMNS)[number];
/** By name, or by a column with the greatest first. Null: as the chart has its lines. */
export type Order = ColumnName | "name" | null;

export interface Row extends Paint {
  /** Of the legend line, which a click on it shows alone. */
  key: string;
  name: string;
  values: Record<ColumnName, number | null>;
}

const PLAIN = new Intl.Collator(undefined, { numeric: true });

/** A row a metric and instance; `at` is the index under the cursor, null for the latest values. */
export function rowsOf(
  lines: readonly LegendLine[],
  at: number | null,
  stats: readonly RowStat[],
  order: Order,
): Row[] {
  const known = new Map(stats.map((stat) => [`${stat.metric} ${stat.instance}`, stat]));
  const rows = lines.flatMap((line) =>
    readingsAt(line, at).map(({ word, value, metric, instance, color, pale }): Row => {
      const { min = null, avg = null, max = null, p95 = null } = known.get(`${metric} ${instance}`) ?? {};
      const name = word && line.name ? `${line.name} ${word}` : word || line.name;
      return { key: line.key, name, color, pale, values: { value, min, avg, max, p95 } };
    }),
  );
  if (order === null) return rows;
  if (order === "name") return rows.sort((one, other) => PLAIN.compare(one.name, other.name));
  const rank = ({ values }: Row) => values[order] ?? Number.NEGATIVE_INFINITY;
  return rows.sort((one, other) => rank(other) - rank(one) || 0);
}
