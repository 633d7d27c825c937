// The path of a sparkline: a minute on a fixed scale, so that two of them can be compared at a glance.

export interface Spark {
  /** SVG path of the line. */
  line: string;
  /** The same closed down to the ground, for the fill. */
  area: string;
}

/**
 * `values` at `times` (ms) drawn in a box of `width` x `height` whose right edge is `now` and whose left edge is
 * `span_ms` earlier, from 0 at the ground to `top`. Nulls and pauses longer than `gap_ms` break the line. What began earlier
 * begins at the left edge, so that nobody has to cut it off: clips make drawing many of them slow.
 */
export function spark(
  times: readonly number[],
  values: readonly (number | null)[],
  now: number,
  span_ms: number,
  gap_ms: number,
  width: number,
  height: number,
  top: number,
): Spark {
  const x = (time: number) => round(width * (1 - (now - time) / span_ms));
  const y = (value: number) => round(height * (1 - Math.min(Math.max(value / top, 0), 1)));
  let line = "";
  let area = "";
  let start: number | null = null;
  let previous = 0;
  const left = now - span_ms;
  let before: { time: number; value: number } | null = null;
  const close = () => {
    if (start !== null) area += `L${x(previous)} ${height}L${x(start)} ${height}Z`;
    start = null;
  };
  times.forEach((time, at) => {
    const value = values[at];
    if (start !== null && time - previous > gap_ms) close();
    if (value === null || value === undefined) return;
    if (time < left) {
      before = { time, value };
      return;
    }
    let step = `${start === null ? "M" : "L"}${x(time)} ${y(value)}`;
    if (before && time > left && time - before.time <= gap_ms) {
      const share = (left - before.time) / (time - before.time);
      step = `M0 ${y(before.value + share * (value - before.value))}L${x(time)} ${y(value)}`;
      start = left;
    }
    before = null;
    start ??= time;
    line += step;
    area += step;
    previous = time;
  });
  close();
  return { line, area };
}

const round = (value: number): number => Math.round(value * 10) / 10;
