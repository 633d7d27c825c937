// Where a chart has nothing to draw, and why: a gap is known to be one, the rest was not answered yet. Pure.
import type { Line } from "./timeline.ts";

/** Half-open, Unix milliseconds. */
export interface Stretch {
  from: number;
  to: number;
}

export interface Blank {
  /** Stretches longer than two steps of which it is known that there are no values. */
  gaps: Stretch[];
  /** Stretches of which nothing is known yet. */
  pending: Stretch[];
}

/** Up to so many steps without a value are no gap: a sample may come late, and a step may not be over yet. */
const SPARE_STEPS = 2;

/**
 * The steps in which no line has a value. `answered` are the stretches that an answer or the live stream tells of;
 * nothing can be known from `present` on.
 */
export function blanks(
  times: readonly number[],
  step_ms: number,
  lines: readonly Line[],
  answered: readonly Stretch[],
  present: number,
): Blank {
  const found: Blank = { gaps: [], pending: [] };
  let kind: keyof Blank | null = null;
  let start = 0;
  const end = (at: number) => {
    const steps = at - start;
    if (kind !== null && (steps > SPARE_STEPS || (kind === "pending" && steps === times.length)))
      found[kind].push({ from: times[start] as number, to: (times[at - 1] as number) + step_ms });
    start = at;
  };
  times.forEach((time, at) => {
    const next = kindOf(time, at);
    if (next === kind) return;
    end(at);
    kind = next;
  });
  end(times.length);
  return found;

  function kindOf(time: number, at: number): keyof Blank | null {
    if (time >= present || lines.some((line) => line.avg[at] !== null)) return null;
    return answered.some(({ from, to }) => from < time + step_ms && to > time) ? "gaps" : "pending";
  }
}
