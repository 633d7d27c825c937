// Ranges and tick spacings of value axes. Tops snap to few steps, so that a live chart does not breathe with each sample.
import type { Base } from "../format.ts";

const PERCENT_TOPS = [5, 10, 25, 50, 100];

/** Top of an axis of percentages. Shares that add up to a hair over 100 by rounding do not double it. */
export function percentTop(max: number): number {
  if (max > 100 && max < 101) return 100;
  return PERCENT_TOPS.find((top) => max <= top) ?? Math.ceil(max / 100) * 100;
}

/** The smallest 1, 2 or 5 times a power of ten (or of two, for sizes counted in 1024) that is not below `max`. */
export function niceTop(max: number, base: Base | 10 = 10): number {
  if (!(max > 0)) return 1;
  if (base === 1024) return 2 ** Math.ceil(Math.log2(max) - 1e-9);
  const power = 10 ** Math.floor(Math.log10(max) + 1e-9);
  const factor = [1, 2, 5, 10].find((candidate) => max <= candidate * power * (1 + 1e-9)) ?? 10;
  return factor * power;
}

/** Axis range of values between `low` and `high` in `unit`; zero is always on it. `floor` keeps an idle chart from magnifying noise. */
export function axisRange(low: number, high: number, unit: string, base: Base, floor: number): [number, number] {
  const round = (value: number) =>
    unit === "%" ? percentTop(value) : niceTop(value, unit.startsWith("B") ? asBase(base) : 10);
  const top = high > 0 || low >= 0 ? round(Math.max(high, floor)) : 0;
  const bottom = low < 0 ? -round(Math.max(-low, floor)) : 0;
  return [bottom, top];
}

const asBase = (base: Base): Base | 10 => (base === 1024 ? 1024 : 10);

/** Tick values from `low` to `high`, at most about `count`, at round steps of the unit's base. */
export function axisTicks(low: number, high: number, unit: string, base: Base, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  const step =
    unit === "%" && high - low >= 20 ? percentStep(rough) : niceTop(rough, unit.startsWith("B") ? asBase(base) : 10);
  const ticks = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-6; at += 1) ticks.push(at * step || 0); // never -0
  return ticks;
}

const percentStep = (rough: number): number => [5, 10, 25, 50].find((step) => rough <= step) ?? 100;
