// The colours of the heat map: how warm a value is, on a scale from nothing to a top that fits the whole fleet. Pure.
import { unitOf } from "../api/catalogue.ts";
import type { Values } from "../api/types.gen.ts";
import { type Base, fixed, quantity } from "../format.ts";
import { reading } from "./readings.ts";
import { stepAbove } from "./traffic.ts";

/** Degrees at which hardware is as warm as it may be. */
const HOT = 100;
/** Traffic below this, bytes per second, is noise. */
const QUIET = 100_000;

/** The value that has the warmest colour: what a unit ends with, or a round number above the largest of the fleet. */
export function topOf(path: string, latest: Iterable<Values>, base: Base): number {
  const unit = unitOf(path);
  if (unit === "%") return 100;
  if (unit === "°C") return HOT;
  let largest = 0;
  for (const values of latest) largest = Math.max(largest, reading(values, path)?.value ?? 0);
  if (unit !== "B/s") return stepAbove(largest);
  const power = base ** Math.floor(Math.log(Math.max(largest, QUIET)) / Math.log(base));
  return power * stepAbove(Math.max(largest, QUIET) / power);
}

/** From 0 to 1, in steps that an eye can tell apart. */
export const warmth = (value: number, most: number): number =>
  Math.round(20 * Math.min(1, Math.max(0, value / most))) / 20;

/** A value as short as a cell is wide: `87`, `3.2`, `12M`. */
export function short(value: number | null, path: string, base: Base): string {
  if (value === null) return "–";
  const unit = unitOf(path);
  if (unit === "%" || unit === "°C") return fixed(value, 0);
  if (unit !== "B/s") return fixed(value, value < 9.95 ? 1 : 0);
  const { value: number, unit: name } = quantity(value, unit, base);
  return `${Number.parseFloat(number) >= 10 ? number.replace(/[.,]\d+$/, "") : number}${name.startsWith("B") ? "" : name.charAt(0)}`;
}
