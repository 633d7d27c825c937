// What the statistics say of their exactness, and where their rows can be had as a file. Pure.
import type { Resolution, StatsAnswer } from "../api/types.gen.ts";

const DAY_MS = 86_400_000;

export function exactness({ stats }: StatsAnswer): string {
  return stats.every((stat) => stat.exact) ? "exact" : "percentiles within 1 %";
}

/** Milliseconds until the statistics of a live window are asked for again: a two-thousandth of it changes nothing. */
export const statsAfter = (span_ms: number): number => Math.max(15_000, span_ms / 2000);

/** Rows that make a file of a size people can open: samples of a day, minutes of a month, otherwise hours. */
export function exportResolution({ from, to }: Pick<StatsAnswer, "from" | "to">): Resolution {
  if (to - from <= DAY_MS) return "raw";
  return to - from <= 30 * DAY_MS ? "minute" : "hour";
}

export function exportPath(
  host: string,
  metrics: string,
  range: Pick<StatsAnswer, "from" | "to">,
  format: "csv" | "ndjson",
): string {
  const query = new URLSearchParams({
    format,
    metrics,
    from: String(range.from),
    to: String(range.to),
    resolution: exportResolution(range),
  });
  return `/api/v1/hosts/${encodeURIComponent(host)}/export?${query}`;
}
