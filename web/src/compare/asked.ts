// What the address of the page asks to be compared, and how. Pure.
import { metricOf } from "../api/catalogue.ts";
import type { Ranking } from "../api/types.gen.ts";

/** More lines than this cannot be told apart. */
export const MOST_LINES = 12;
/** More charts than this are no comparison any more. */
export const MOST_METRICS = 8;
export const DEFAULT_METRIC = "cpu.total";
const DEFAULT_TOP = 5;
export const TOPS = [3, 5, 8, 12] as const;

export const RANKINGS: Record<Ranking, string> = { avg: "average", max: "maximum", p95: "95th percentile" };

export type Layout = "over" | "each";
export type Behind = "" | "day" | "week";
export const BEHIND_WORDS: Record<Behind, string> = { "": "Nothing", day: "Yesterday", week: "Last week" };
const DAY_MS = 86_400_000;
export const BEHIND_MS: Record<Behind, number> = { "": 0, day: DAY_MS, week: 7 * DAY_MS };

export interface Asked {
  /** At most so many as can be told apart; none: those that lead in the fleet. */
  hosts: readonly string[];
  /** Hosts that are asked for besides. */
  tooMany: number;
  metrics: readonly string[];
  /** The only instances to show, such as mounts, at most as many as lines; none: all. */
  instances: readonly string[];
  /** How many lead. */
  top: number;
  by: Ranking;
  layout: Layout;
  behind: Behind;
}

const listed = (text: string | null): string[] => [...new Set((text ?? "").split(",").filter(Boolean))];

export function parseAsked(query: URLSearchParams): Asked {
  const hosts = listed(query.get("hosts")).filter((host) => /^[a-z0-9-]{1,40}$/.test(host));
  const metrics = listed(query.get("metrics")).filter((path) => metricOf(path));
  const top = Number(query.get("top"));
  const by = query.get("by");
  const behind = query.get("behind");
  return {
    hosts: hosts.slice(0, MOST_LINES),
    tooMany: Math.max(0, hosts.length - MOST_LINES),
    metrics: metrics.length > 0 ? metrics.slice(0, MOST_METRICS) : [DEFAULT_METRIC],
    instances: [...new Set(query.getAll("of"))].slice(0, MOST_LINES),
    top: TOPS.find((one) => one === top) ?? DEFAULT_TOP,
    by: by !== null && Object.hasOwn(RANKINGS, by) ? (by as Ranking) : "avg",
    layout: query.get("layout") === "each" ? "each" : "over",
    behind: behind === "day" || behind === "week" ? behind : "",
  };
}

/** `asked` with those of its hosts that are in a fleet of `ids`: for any other the gateway would answer nothing at all. */
export function among(asked: Asked, ids: readonly string[]): Asked {
  const there = new Set(ids);
  return { ...asked, hosts: asked.hosts.filter((host) => there.has(host)) };
}

/** The entry of a query for a list; null: it is not asked for. */
export const listEntry = (names: readonly string[]): string | null => (names.length > 0 ? names.join() : null);
