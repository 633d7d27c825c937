// The order of the fleet: by one thing or by several, as the address has it (`-cpu.total,name`). Ties always fall back to the
// name, so that nothing moves without a reason. Pure.
import { metricOf, pathWords } from "../api/catalogue.ts";
import { STANDINGS, type Standing, sends } from "./summary.ts";

export interface Sorting {
  /** `worst`, `name`, another column, or the path of a metric. */
  by: string;
  descending: boolean;
}

/** What has an order besides metrics, with its words; true: the largest come first unless asked otherwise. */
const COLUMNS: Record<string, [words: string, descending: boolean]> = {
  worst: ["Worst first", false],
  name: ["Name", false],
  state: ["State", false],
  tags: ["Tags", false],
  alerts: ["Alerts", true],
  age: ["Last sample", true],
  uptime: ["Uptime", true],
  os: ["System", false],
  version: ["Agent", false],
};

export const WORST: readonly Sorting[] = [{ by: "worst", descending: false }];

/** What addresses said before metrics had paths in them. */
const FORMER: Record<string, string> = {
  cpu: "-cpu.total",
  memory: "-memory.used_percent",
  disk: "-filesystem.used_percent",
  traffic: "-network.received,-network.sent",
};

const isKnown = (by: string): boolean => Object.hasOwn(COLUMNS, by) || metricOf(by) !== undefined;

export const sortWords = (by: string): string => COLUMNS[by]?.[0] ?? pathWords(by);
/** Whether the largest come first when a column is asked for. */
export const beginsDescending = (by: string): boolean => COLUMNS[by]?.[1] ?? true;

/** The order that the address asks for: worst first when it asks for none that is known. */
export function parseSorts(text: string | null): readonly Sorting[] {
  const asked = text !== null && Object.hasOwn(FORMER, text) ? (FORMER[text] as string) : (text ?? "");
  const found = asked
    .split(",")
    .map((one) => ({ by: one.replace(/^-/, ""), descending: one.startsWith("-") }))
    .filter(({ by }, at, all) => isKnown(by) && all.findIndex((other) => other.by === by) === at);
  return found.length > 0 ? found : WORST;
}

/** For the address; null for the order that needs no words. */
export function sortText(sorts: readonly Sorting[]): string | null {
  const text = sorts.map(({ by, descending }) => `${descending ? "-" : ""}${by}`).join();
  return text === "worst" || text === "" ? null : text;
}

/**
 * The order after somebody asked for a column: by it alone, or, with `further`, by it after the others. Asked for again it
 * turns round, and then is left out.
 */
export function toggled(sorts: readonly Sorting[], by: string, further: boolean): readonly Sorting[] {
  const at = sorts.findIndex((one) => one.by === by);
  const first = { by, descending: beginsDescending(by) };
  const before = sorts[at];
  const turned = before?.descending === first.descending ? { by, descending: !first.descending } : null;
  const next = before ? (turned ? [turned] : []) : [first];
  if (!further) return sorts.length === 1 || !before ? (next.length > 0 ? next : WORST) : [before];
  const others = sorts.filter((one) => one.by !== "worst");
  const place = others.findIndex((one) => one.by === by);
  const all = place < 0 ? [...others, ...next] : others.toSpliced(place, 1, ...next);
  return all.length > 0 ? all : WORST;
}

/** The order, and then by one thing more. */
export const withSort = (sorts: readonly Sorting[], by: string): readonly Sorting[] => [
  ...sorts.filter((one) => one.by !== "worst" && one.by !== by),
  { by, descending: beginsDescending(by) },
];

/** The order without one of its things. */
export function withoutSort(sorts: readonly Sorting[], by: string): readonly Sorting[] {
  const others = sorts.filter((one) => one.by !== by);
  return others.length > 0 ? others : WORST;
}

/** The order with one of its things the other way round. */
export const turnedRound = (sorts: readonly Sorting[], by: string): readonly Sorting[] =>
  sorts.map((one) => (one.by === by ? { by, descending: !one.descending } : one));

export interface Ordered {
  /** As far as was known last: a stream that goes away moves nothing. */
  readonly lastStanding: Standing;
  /** How near it is to an alert, held; see `worst.ts`. */
  readonly near: number;
  /** What it is ordered by in a column; null: unknown. */
  sortValue: (by: string) => number | string | null;
}

/** True when the order changes with samples. */
export const followsSamples = (sorts: readonly Sorting[]): boolean =>
  sorts.some(({ by }) => by === "worst" || by === "age" || metricOf(by) !== undefined);

const names = new Intl.Collator(undefined, { numeric: true });

interface Named {
  id: string;
  name: string;
}

const compareNames = (a: Named, b: Named): number => names.compare(a.name, b.name) || names.compare(a.id, b.id);

/** By what they are called on the page; of those called alike, by what they are. */
export const byName = <T extends Named>(hosts: readonly T[]): T[] =>
  hosts
    .map((host) => ({ host, id: host.id, name: host.name }))
    .sort(compareNames)
    .map(({ host }) => host);

/** More changes than this share of all are sorted at once. */
const FEW = 0.1;

/** `before`, which was in the order of names, with what has come, gone or been called otherwise since. */
export function renamed<T extends Named>(before: readonly T[], hosts: readonly T[]): readonly T[] {
  const known = new Map(before.map((host) => [host.id, host]));
  const isSame = (host: T) => known.get(host.id)?.name === host.name;
  const others = hosts.filter((host) => !isSame(host));
  if (others.length === 0 && before.length === hosts.length) return before;
  if (others.length > FEW * hosts.length) return byName(hosts);
  const kept = new Set(hosts.filter(isSame).map(({ id }) => id));
  const result = before.filter(({ id }) => kept.has(id));
  for (const host of others) {
    let [low, high] = [0, result.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareNames(result[middle] as T, host) < 0) low = middle + 1;
      else high = middle;
    }
    result.splice(low, 0, host);
  }
  return result;
}

type Key = number | string | null;

/** `hosts`, given in the order of their names, in that of `sorts`; unknown values last, equal ones as they were. */
export function ordered<T extends Ordered>(hosts: readonly T[], sorts: readonly Sorting[]): readonly T[] {
  if (sorts.length === 1 && sorts[0]?.by === "name" && !sorts[0].descending) return hosts;
  return hosts
    .map((host) => ({ host, keys: sorts.map(({ by }) => keyOf(host, by)) }))
    .sort((a, b) => {
      for (let at = 0; at < sorts.length; at += 1) {
        const found = compare(a.keys[at] as Key, b.keys[at] as Key, sorts[at]?.descending ?? false);
        if (found !== 0) return found;
      }
      return 0;
    })
    .map(({ host }) => host);
}

/** What a metric was when a host went away says nothing of how it is: it is unknown. */
function keyOf(host: Ordered, by: string): Key {
  if (by === "worst") return badness(host);
  return metricOf(by) && !sends(host.lastStanding) ? null : host.sortValue(by);
}

function compare(a: Key, b: Key, descending: boolean): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  const found = typeof a === "string" || typeof b === "string" ? names.compare(String(a), String(b)) : a - b;
  return descending ? -found : found;
}

/** What is worse has less: the state decides, then how near to an alert a host is that sends. */
function badness({ lastStanding, near }: Ordered): number {
  return 10 * STANDINGS.indexOf(lastStanding) - (sends(lastStanding) ? near : 0);
}
