// Why there is nothing in a gap, and how it is told in little room. Pure.
import type { ChartMark } from "./marks.ts";
import type { Stretch } from "./stretches.ts";

/** Of the reasons the one that explains the most of a gap; undefined where none does. */
export function reasonOf(gap: Stretch, reasons: readonly ChartMark[]): ChartMark | undefined {
  const shared = ({ time, end }: ChartMark) =>
    Math.min(gap.to, end ?? Number.POSITIVE_INFINITY) - Math.max(gap.from, time);
  let best: ChartMark | undefined;
  for (const reason of reasons) if (shared(reason) > (best ? shared(best) : 0)) best = reason;
  return best;
}

/** Fewer letters say nothing. */
const LEAST_LETTERS = 12;

/** `text`, cut off with an ellipsis where it is wider than `room`; empty where too little of it would be left. */
export function shortened(text: string, room: number, widthOf: (text: string) => number): string {
  if (widthOf(text) <= room) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (widthOf(`${text.slice(0, middle)}…`) <= room) low = middle;
    else high = middle - 1;
  }
  return low < LEAST_LETTERS ? "" : `${text.slice(0, low).trimEnd()}…`;
}
