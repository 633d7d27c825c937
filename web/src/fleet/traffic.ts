// All traffic of a host over the last minute, for a sparkline. Pure.
import { firstAtOrAfter, type Ring } from "../charts/ring.ts";

/** `rings` added at each time, since `from`, at which any of them is known. */
export function total(rings: readonly Ring[], from: number): { times: number[]; values: number[] } {
  const sums = new Map<number, number>();
  for (const { times, values } of rings)
    for (let at = firstAtOrAfter(times, from); at < times.length; at += 1) {
      const value = values[at];
      if (value !== null && value !== undefined)
        sums.set(times[at] as number, (sums.get(times[at] as number) ?? 0) + value);
    }
  const times = [...sums.keys()].sort((a, b) => a - b);
  return { times, values: times.map((time) => sums.get(time) as number) };
}

/** Traffic below this, bytes per second, draws a low line however it varies: it is noise. */
const QUIET = 100_000;

/** The top of a scale for `values`: 1, 2 or 5 of a power of ten, so that it seldom changes. */
export const top = (values: readonly number[]): number => stepAbove(Math.max(QUIET, ...values));

/** The next of 1, 2 or 5 of a power of ten from `value` on; 1 for nothing. */
export function stepAbove(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((step) => step * power >= value) ?? 10);
}
