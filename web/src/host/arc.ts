// Geometry of a gauge: an arc of 240 degrees, open at the bottom. Pure.

const FIRST_DEGREES = 150;
const SPAN_DEGREES = 240;

export interface Point {
  x: number;
  y: number;
}

/** The point at `share` (0 to 1, cut) of an arc of `radius` around the middle. */
export function pointAt(share: number, radius: number, middle: Point): Point {
  const angle = ((FIRST_DEGREES + SPAN_DEGREES * Math.min(1, Math.max(0, share))) * Math.PI) / 180;
  return { x: round(middle.x + radius * Math.cos(angle)), y: round(middle.y + radius * Math.sin(angle)) };
}

/** SVG path of the arc from the beginning to `share`; empty for nothing. */
export function arc(share: number, radius: number, middle: Point): string {
  if (share <= 0) return "";
  const from = pointAt(0, radius, middle);
  const to = pointAt(share, radius, middle);
  const large = Math.min(1, share) * SPAN_DEGREES > 180 ? 1 : 0;
  return `M${from.x} ${from.y}A${radius} ${radius} 0 ${large} 1 ${to.x} ${to.y}`;
}

/** A short line across the arc at `share`, from one radius to another. */
export function tick(share: number, inner: number, outer: number, middle: Point): string {
  const a = pointAt(share, inner, middle);
  const b = pointAt(share, outer, middle);
  return `M${a.x} ${a.y}L${b.x} ${b.y}`;
}

const round = (value: number): number => Math.round(value * 100) / 100 || 0; // never -0
