// Two fingers on a chart: what was under them stays under them. Pure.
import { LONGEST_MS, SHORTEST_MS } from "./window.ts";

export interface Range {
  from: number;
  to: number;
}

/** Fingers nearer to each other than this count as so far apart: otherwise the range would run away. */
const LEAST_PX = 24;

/**
 * What a chart of `width_px` that showed `range` shows when two fingers have gone from `before` to `after`, both in pixels
 * from its left edge. Nothing later than `now`.
 */
export function stretched(
  range: Range,
  width_px: number,
  before: readonly [number, number],
  after: readonly [number, number],
  now: number,
): Range {
  const apart = ([a, b]: readonly [number, number]) => Math.max(LEAST_PX, Math.abs(b - a));
  const middle = ([a, b]: readonly [number, number]) => (a + b) / 2 / width_px;
  const span_ms = range.to - range.from;
  const length_ms = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (span_ms * apart(before)) / apart(after)));
  const held = range.from + middle(before) * span_ms;
  const from = Math.min(held - middle(after) * length_ms, Math.max(now, range.to) - length_ms);
  return { from, to: from + length_ms };
}

/** A chart that fingers are on: they decide what it shows, whatever the page would show. */
export interface Held {
  /** What was shown when they touched it. */
  first: Range;
  shown: Range;
}

/** Two fingers on a chart that shows `shown` have gone from `before` to `after`. `held`: null when they just touched it. */
export function pinched(
  held: Held | null,
  { from, to }: Range,
  width_px: number,
  before: readonly [number, number],
  after: readonly [number, number],
  now: number,
): Held {
  const first = held?.first ?? { from, to };
  return { first, shown: stretched(first, width_px, before, after, now) };
}
