// Where the times and values of a chart lie, for what is laid over it. Pure.
import type { Axis } from "./scale.ts";

/** In the chart's element, CSS pixels. */
export interface Place {
  left: number;
  top: number;
  width: number;
  height: number;
  from: number;
  to: number;
  low: number;
  high: number;
}

/** Of a chart whose area is `box` on the canvas, which has `ratio` pixels for one of the style sheet. */
export function placeOf(
  box: Pick<Place, "left" | "top" | "width" | "height">,
  ratio: number,
  from: number,
  to: number,
  { low, high }: Pick<Axis, "low" | "high">,
): Place {
  const [left, top, width, height] = [box.left / ratio, box.top / ratio, box.width / ratio, box.height / ratio];
  return { left, top, width, height, from, to, low, high };
}

export const samePlace = (one: Place | null, other: Place): boolean =>
  one !== null && (Object.keys(other) as (keyof Place)[]).every((key) => one[key] === other[key]);
