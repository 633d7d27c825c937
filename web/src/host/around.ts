// How much is shown around something that happened. Pure.
import type { ChartMark } from "../charts/marks.ts";

/** At least so much before and after. */
const LEAST_MS = 600_000;

/** From and to, with half its length before and after; what goes on is shown up to `now`. */
export function stretchAround({ time, end }: Pick<ChartMark, "time" | "end">, now: number): [number, number] {
  const last = Math.min(end ?? now, now);
  const around_ms = Math.max(LEAST_MS, (last - time) / 2);
  return [time - around_ms, Math.max(time + 1000, Math.min(last + around_ms, now))];
}
