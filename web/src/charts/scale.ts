// Value axes: where they begin and end, and their ticks. Ends snap to few values, so that a live chart does not breathe
// with each sample; there are four or five ticks, and the top always has one. Pure.
import type { Base } from "../format.ts";

export interface Axis {
  low: number;
  high: number;
  /** Ascending, both ends included. */
  ticks: number[];
}

export interface Reach {
  /** Lowest and highest value drawn. */
  low: number;
  high: number;
  unit: string;
  base: Base;
  /** The axis reaches at least this far. */
  floor: number;
  /** Top of the axis, where it is known beforehand. */
  ceiling: number | null;
  /** Whether values hang below zero: both halves have one scale then, so that they can be compared. */
  mirrored: boolean;
  /** Lines at thresholds. Where the top is given, those below zero are on the axis, too. */
  warning?: number | null;
  critical?: number | null;
}

/** The smallest 1, 2, 2.5 or 5 times a power of ten (a power of two for sizes counted in 1024) that is not below `least`. */
export function niceStep(least: number, binary = false): number {
  if (!(least > 0)) return 1;
  if (binary) return 2 ** Math.ceil(Math.log2(least) - 1e-9);
  const power = 10 ** Math.floor(Math.log10(least) + 1e-9);
  const factor = [1, 2, 2.5, 5].find((candidate) => least <= candidate * power * (1 + 1e-9)) ?? 10;
  return factor * power;
}

const multiples = (step: number, first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step || 0); // never -0

export function axisFor({ low, high, unit, base, floor, ceiling, mirrored, warning, critical }: Reach): Axis {
  const binary = base === 1024 && unit.startsWith("B");
  // Shares that add up to a hair over 100 by rounding do not double the axis.
  const most = unit === "%" && high > 100 && high < 101 ? 100 : Math.max(high, -low, floor);
  const least = ceiling === null ? low : Math.min(low, warning ?? 0, critical ?? 0);
  if (mirrored || least < 0) {
    const step = niceStep(Math.max(most, ceiling ?? 0) / 2, binary);
    return { low: -2 * step, high: 2 * step, ticks: multiples(step, -2, 2) };
  }
  if (ceiling !== null && ceiling > 0 && high <= ceiling) {
    const step = niceStep(ceiling / 4, binary);
    // A round value right below the top would write over its label.
    const ticks = multiples(step, 0, 4).filter((tick) => tick < ceiling - 0.4 * step);
    return { low: 0, high: ceiling, ticks: [...ticks, ceiling] };
  }
  const step = niceStep(most / 4, binary);
  return { low: 0, high: 4 * step, ticks: multiples(step, 0, 4) };
}
