// How the fleet is looked at, as the address has it: cards, a table or a heat map, and what each of them shows. Pure.
import { metricOf, OVERVIEW } from "../api/catalogue.ts";
import { sortWords } from "./order.ts";

export type View = "cards" | "table" | "heat";

export const VIEWS: Record<View, string> = { cards: "Cards", table: "Table", heat: "Heat map" };

export const parseView = (text: string | null): View =>
  text !== null && Object.hasOwn(VIEWS, text) ? (text as View) : "cards";

/** What the table can show of a host besides metrics; its name is always there. */
const FACTS = ["state", "tags", "alerts", "age", "uptime", "os", "version"] as const;
export type Fact = (typeof FACTS)[number];

/** Everything that a column can be: facts, then metrics. */
export const COLUMNS: readonly string[] = [...FACTS, ...OVERVIEW];

export const isFact = (column: string): column is Fact => (FACTS as readonly string[]).includes(column);

/** What the table shows unless it is told otherwise. */
const USUAL: readonly string[] = [
  "cpu.total",
  "memory.used_percent",
  "filesystem.used_percent",
  "network.received",
  "network.sent",
  "uptime",
  "age",
  "tags",
];

/** The columns that the address asks for, in its order; the usual ones when it asks for none that there are. */
export function parseColumns(text: string | null): readonly string[] {
  const asked = [...new Set((text ?? "").split(","))].filter((one) => COLUMNS.includes(one) || metricOf(one));
  return asked.length > 0 ? asked : USUAL;
}

/** For the address; null for the usual ones. */
export const columnsText = (columns: readonly string[]): string | null =>
  columns.join() === USUAL.join() ? null : columns.join();

/** `columns` with one more or less; a new one comes where the choice has it. The last one stays. */
export function withColumn(columns: readonly string[], column: string): readonly string[] {
  if (columns.includes(column)) return columns.length > 1 ? columns.filter((one) => one !== column) : columns;
  const rank = (one: string) => (COLUMNS.includes(one) ? COLUMNS.indexOf(one) : COLUMNS.length);
  const at = columns.findIndex((one) => rank(one) > rank(column));
  return at < 0 ? [...columns, column] : columns.toSpliced(at, 0, column);
}

/** A column's heading. */
export const columnWords = (column: string): string => sortWords(column);

/** What the heat map's colours tell. */
export const parseHeat = (text: string | null): string => (text !== null && metricOf(text) ? text : "cpu.total");

/** Metrics that a view shows of every host. */
export function metricsShown(view: View, columns: readonly string[], heat: string): readonly string[] {
  if (view === "heat") return [heat];
  return view === "table" ? columns.filter((one) => !isFact(one)) : [];
}
