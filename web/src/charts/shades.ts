// What lies behind and above the lines of a chart: gaps, what is not loaded, limits. Draws on a canvas that it is given.
import type { Stretch } from "./stretches.ts";

/** Device pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

type Ink = (name: string, alpha?: number) => string;

function clipTo(
  context: CanvasRenderingContext2D,
  box: Box,
  stretches: readonly Stretch[],
  x: (time: number) => number,
) {
  context.beginPath();
  for (const { from, to } of stretches) {
    const left = Math.max(x(from), box.left);
    const right = Math.min(x(to), box.left + box.width);
    if (right > left) context.rect(left, box.top, right - left, box.height);
  }
  context.clip();
}

/** Hatched: it is known that there is nothing. */
export function shadeGaps(
  context: CanvasRenderingContext2D,
  box: Box,
  gaps: readonly Stretch[],
  x: (time: number) => number,
  ink: Ink,
): void {
  if (gaps.length === 0) return;
  context.save();
  clipTo(context, box, gaps, x);
  context.fillStyle = ink("--muted", 0.06);
  context.fillRect(box.left, box.top, box.width, box.height);
  context.strokeStyle = ink("--muted", 0.28);
  context.lineWidth = devicePixelRatio;
  context.beginPath();
  for (let left = box.left - box.height; left < box.left + box.width; left += 8 * devicePixelRatio) {
    context.moveTo(left, box.top + box.height);
    context.lineTo(left + box.height, box.top);
  }
  context.stroke();
  context.restore();
}

/** Softly tinted: not known yet. */
export function shadePending(
  context: CanvasRenderingContext2D,
  box: Box,
  pending: readonly Stretch[],
  x: (time: number) => number,
  ink: Ink,
): void {
  if (pending.length === 0) return;
  context.save();
  clipTo(context, box, pending, x);
  context.fillStyle = ink("--track", 0.55);
  context.fillRect(box.left, box.top, box.width, box.height);
  context.restore();
}

/** Dashed lines at the values of `limits`, `top` being the highest on the axis. */
export function drawLimits(
  context: CanvasRenderingContext2D,
  box: Box,
  limits: readonly [value: number | null, color: string][],
  top: number,
  y: (value: number) => number,
  ink: Ink,
): void {
  context.save();
  context.lineWidth = devicePixelRatio;
  context.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const [value, color] of limits) {
    if (value === null || value > top) continue;
    const at = Math.round(y(value));
    context.strokeStyle = ink(color, 0.7);
    context.beginPath();
    context.moveTo(box.left, at);
    context.lineTo(box.left + box.width, at);
    context.stroke();
  }
  context.restore();
}
