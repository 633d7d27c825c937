// What lies behind and above the lines of a chart: gaps, what is not loaded, limits. Draws on a canvas that it is given.
import type { ChartMark, Sign } from "./marks.ts";
import { reasonOf, shortened } from "./reasons.ts";
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

/** Says in a gap why there is nothing, where there is room for it. */
export function nameGaps(
  context: CanvasRenderingContext2D,
  box: Box,
  gaps: readonly Stretch[],
  reasons: readonly ChartMark[],
  x: (time: number) => number,
  ink: Ink,
): void {
  const room = 8 * devicePixelRatio;
  context.save();
  context.font = `${12 * devicePixelRatio}px ${getComputedStyle(context.canvas).fontFamily}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const gap of gaps) {
    const left = Math.max(x(gap.from), box.left);
    const right = Math.min(x(gap.to), box.left + box.width);
    const why = reasonOf(gap, reasons);
    const text = why && shortened(why.title, right - left - 4 * room, (one) => context.measureText(one).width);
    if (!text) continue;
    const width = context.measureText(text).width + 2 * room;
    const middle = [(left + right) / 2, box.top + box.height / 2] as const;
    context.fillStyle = ink("--panel", 0.9);
    context.fillRect(middle[0] - width / 2, middle[1] - 1.5 * room, width, 3 * room);
    context.fillStyle = ink("--muted");
    context.fillText(text, ...middle);
  }
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

/** What happened: a line for a moment, with a flag on top; a tint between two lines for a stretch. */
export function drawSigns(
  context: CanvasRenderingContext2D,
  box: Box,
  signs: readonly Sign[],
  x: (time: number) => number,
  ink: Ink,
): void {
  if (signs.length === 0) return;
  const dot = devicePixelRatio;
  const right = box.left + box.width;
  context.save();
  context.beginPath();
  context.rect(box.left, box.top - 6 * dot, box.width, box.height + 6 * dot);
  context.clip();
  context.lineWidth = dot;
  for (const { from, to, tone, lasting } of signs) {
    const [start, end] = [Math.round(x(from)), Math.round(Math.min(x(to), right + 2 * dot))];
    if (lasting) {
      const left = Math.max(start, box.left);
      if (tone === "--critical" || tone === "--warning") {
        context.fillStyle = ink(tone, 0.06);
        context.fillRect(left, box.top, Math.min(end, right) - left, box.height);
      }
      context.fillStyle = ink(tone, 0.9);
      context.fillRect(left, box.top - 3 * dot, Math.min(end, right) - left, 3 * dot);
    }
    context.strokeStyle = ink(tone, 0.6);
    context.beginPath();
    for (const at of lasting ? [start, end] : [start]) {
      context.moveTo(at + dot / 2, box.top);
      context.lineTo(at + dot / 2, box.top + box.height);
    }
    context.stroke();
    if (lasting) continue;
    context.fillStyle = ink(tone);
    context.beginPath();
    context.moveTo(start - 4 * dot, box.top - 5 * dot);
    context.lineTo(start + 4 * dot, box.top - 5 * dot);
    context.lineTo(start, box.top + dot);
    context.fill();
  }
  context.restore();
}

/** Dashed lines at those values of `limits` that are on the axis. */
export function drawLimits(
  context: CanvasRenderingContext2D,
  box: Box,
  limits: readonly [value: number | null, color: string][],
  y: (value: number) => number,
  ink: Ink,
): void {
  context.save();
  context.lineWidth = devicePixelRatio;
  context.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const [value, color] of limits) {
    const at = value === null ? -1 : Math.round(y(value));
    if (at < Math.floor(box.top) || at > Math.ceil(box.top + box.height)) continue;
    context.strokeStyle = ink(color, 0.7);
    context.beginPath();
    context.moveTo(box.left, at);
    context.lineTo(box.left + box.width, at);
    context.stroke();
  }
  context.restore();
}
