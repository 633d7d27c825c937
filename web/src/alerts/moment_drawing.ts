// The small drawing in the row of an alert: values, threshold, and since when it is on. Pure.
import type { SeriesAnswer } from "../api/types.gen.ts";
import { type Spark, spark } from "../charts/spark.ts";

export interface Moment extends Spark {
  /** Where the alert began, from the left. */
  since: number;
  /** Where the threshold is, from the top; null: it is no line among the values. */
  limit_y: number | null;
}

/**
 * What is stored around an alert in a box of `width` x `height`. `limit` is null where the rule holds its thresholds
 * against something else than the values themselves, such as their increase.
 */
export function momentOf(
  { from, to, step_ms, times, series }: Pick<SeriesAnswer, "from" | "to" | "step_ms" | "times" | "series">,
  since_ms: number,
  limit: number | null,
  width: number,
  height: number,
): Moment {
  const values = series[0]?.avg ?? [];
  const { low, high } = reachOf(values, limit);
  const lifted = values.map((value) => (value === null ? null : value - low));
  return {
    ...spark(times, lifted, to, to - from, 2.5 * step_ms, width, height, high - low),
    since: Math.max(0, Math.min(width, (width * (since_ms - from)) / (to - from))),
    limit_y: limit === null ? null : height * (1 - (limit - low) / (high - low)),
  };
}

/** What of the axis is shown: the values and the threshold, with a tenth beside them; not down to zero. */
export function reachOf(values: readonly (number | null)[], limit: number | null): { low: number; high: number } {
  let [low, high] = [limit ?? Number.POSITIVE_INFINITY, limit ?? Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return { low: 0, high: 1 };
  const beside = Math.max((high - low) / 10, Math.abs(high) / 50, 1e-6);
  return { low: low - beside, high: high + beside };
}
