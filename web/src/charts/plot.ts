// The one file that touches the chart library: draws a Model into an element and reports cursor, drag and double click.
import uPlot from "uplot";
import "../style/uplot.css";
import type { Base } from "../format.ts";
import { round, ticks } from "../format.ts";
import { timeZone } from "../time/zone.ts";
import { inksOf } from "./ink.ts";
import { type ChartMark, signsOf } from "./marks.ts";
import { type Column, type Drawn, type Model, standsAlone } from "./model.ts";
import { type Held, pinched } from "./pinch.ts";
import { type Place, placeOf, samePlace } from "./place.ts";
import { type Axis, axisFor } from "./scale.ts";
import { drawLimits, drawSigns, nameGaps, shadeGaps, shadePending } from "./shades.ts";
import type { Blank } from "./stretches.ts";
import { watchSwipes } from "./swipe.ts";
import { giveUpTurn, takeTurn } from "./turns.ts";

export interface Look {
  unit: string;
  base: Base;
  /** The axis reaches at least this far. */
  floor: number;
  /** Top of the axis, where it is known beforehand. */
  ceiling: number | null;
  /** Whether values hang below zero. */
  mirrored: boolean;
  /** Values at which to draw dashed lines. */
  warning: number | null;
  critical: number | null;
  /** What happened meanwhile. */
  marks: readonly ChartMark[];
  /** Why there is nothing in gaps. */
  reasons: readonly ChartMark[];
}

export interface Events {
  /** The time under the pointer, Unix milliseconds, and its index; null when it has left. */
  onCursor: (at: { index: number; time: number } | null) => void;
  /** A drag from one time to another, Unix milliseconds. */
  onDrag: (from: number, to: number) => void;
  onDoubleClick: () => void;
  /** Two fingers, or the mouse with Shift, moved the chart to show these times. */
  onMove: (from: number, to: number) => void;
  /** Nothing is shown beyond this moment. */
  present: () => number;
  /** It was drawn, with times and values at other places than before. */
  onPlaced: (place: Place) => void;
  /** Drawing failed. */
  onError: (error: unknown) => void;
}

export interface Plot {
  /** Draws `model` between two times (ms), in a frame to come. */
  show: (model: Model, blank: Blank, look: Look, from: number, to: number) => void;
  /** Puts the cursor at a time that is pointed at elsewhere; null takes it away. The index of that time. */
  point: (time: number | null) => number | null;
  resize: (width: number, height: number) => void;
  /** Draws again in the page's colours as they are now. */
  recolor: () => void;
  destroy: () => void;
}

interface Drawing {
  model: Model;
  blank: Blank;
  look: Look;
  from: number;
  to: number;
  axis: Axis;
}

const LOCAL = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const AWAY = { left: -10, top: -10 };
const NOTHING = { left: 0, top: 0, width: 0, height: 0 };

export function createPlot(box: HTMLElement, events: Events): Plot {
  const { ink, line: lineColor, clear } = inksOf(box);
  let chart: uPlot | null = null;
  let now: Drawing | null = null;
  let placed: Place | null = null;
  let held: Held | null = null;
  let width = box.clientWidth;
  let height = box.clientHeight;
  /** The shape that `chart` was made for. */
  let shape: string | null = null;
  /** Whether the pointer is over this chart; otherwise the cursor is where another chart's is. */
  let pointed = false;

  function series(drawn: Drawn): uPlot.Series {
    const edge = drawn.style === "edge";
    const made: uPlot.Series = {
      stroke: () => (edge ? "transparent" : lineColor(drawn, drawn.style === "stacked" ? 0.8 : 1)),
      width: edge ? 0 : drawn.style === "stacked" ? 0.75 : 1.4,
      points: { show: (u, index) => standsAlone(u.data[index] as Column) },
    };
    if (drawn.behind) made.dash = [4, 4];
    if (drawn.style === "filled") made.fill = () => lineColor(drawn, 0.14);
    if (drawn.style === "stacked") made.fill = () => lineColor(drawn, 0.5);
    return made;
  }

  function make(model: Model): uPlot {
    const options: uPlot.Options = {
      width,
      height,
      ms: 1,
      tzDate: (ms) => uPlot.tzDate(new Date(ms), timeZone.peek() ?? LOCAL),
      pxAlign: 0,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: {
        y: false,
        points: { size: 6 },
        drag: { x: false, y: false, setScale: false },
        bind: {
          mousedown: () => null,
          mouseup: () => null,
          click: () => null,
          dblclick: () => () => {
            events.onDoubleClick();
            return null;
          },
          mousemove: (_, __, move) => (event) => {
            pointed = true;
            return move(event);
          },
          mouseleave: (_, __, leave) => (event) => {
            const result = leave(event);
            pointed = false;
            return result;
          },
        },
      },
      scales: {
        x: { time: true, range: () => [now?.from ?? 0, now?.to ?? 1] },
        y: { range: () => [now?.axis.low ?? 0, now?.axis.high ?? 1] },
      },
      axes: [
        {
          stroke: () => ink("--muted"),
          font: font(),
          size: 26,
          gap: 4,
          space: 80,
          grid: { show: false },
          ticks: { show: true, size: 4, width: 1, stroke: () => ink("--line") },
          values: (u, splits, _, __, step) => {
            // A label that would be cut off at the right edge is left out.
            const room = u.bbox.width / devicePixelRatio - 16;
            return ticks(splits, step).map((label, at) => (u.valToPos(splits[at] as number, "x") > room ? "" : label));
          },
        },
        {
          stroke: () => ink("--muted"),
          font: font(),
          size: 64,
          gap: 6,
          grid: { width: 1, stroke: () => ink("--line", 0.8) },
          ticks: { show: false },
          splits: () => now?.axis.ticks ?? [],
          values: (_, splits) => splits.map((value) => round(Math.abs(value), now?.look.unit ?? "", now?.look.base)),
        },
      ],
      series: [{}, ...model.drawn.map(series)],
      bands: model.bands.map((band) => ({
        series: [band.upper + 1, band.lower + 1],
        fill: (u: uPlot) => lineColor(band, u.series[band.lower + 1]?.width === 0 ? 0.16 : 0.5),
      })),
      hooks: {
        drawClear: [drawBehind],
        draw: [drawAbove],
        setCursor: [
          ({ cursor, data: [times] }) => {
            if (!pointed) return;
            const index = cursor.idx ?? null;
            events.onCursor(index === null ? null : { index, time: times[index] as number });
          },
        ],
      },
    };
    const made = new uPlot(options, data(model), box);
    watchSwipes(made.over, {
      onMove: (a, b) =>
        made.setSelect({ left: Math.min(a, b), top: 0, width: Math.abs(b - a), height: made.over.clientHeight }, false),
      onEnd: () => made.setSelect(NOTHING, false),
      onDone: (a, b) => events.onDrag(made.posToVal(a, "x"), made.posToVal(b, "x")),
      onPinch: (before, after) => {
        if (!now) return;
        held = pinched(held, now, made.over.clientWidth, before, after, events.present());
        now = { ...now, ...held.shown };
        takeTurn(draw);
      },
      onPinched: release,
    });
    return made;
  }

  function drawBehind(u: uPlot): void {
    if (!now) return;
    const x = (time: number) => u.valToPos(time, "x", true);
    const signs = signsOf(now.look.marks, now.from, now.to, u.bbox.width / devicePixelRatio);
    drawSigns(u.ctx, u.bbox, signs, x, ink);
    shadePending(u.ctx, u.bbox, now.blank.pending, x, ink);
    shadeGaps(u.ctx, u.bbox, now.blank.gaps, x, ink);
    nameGaps(u.ctx, u.bbox, now.blank.gaps, now.look.reasons, x, ink);
  }

  function drawAbove(u: uPlot): void {
    if (!now) return;
    const { warning, critical } = now.look;
    const limits: [number | null, string][] = [
      [warning, "--warning"],
      [critical, "--critical"],
    ];
    drawLimits(u.ctx, u.bbox, limits, (value) => u.valToPos(value, "y", true), ink);
    tellPlace(u, now);
  }

  function tellPlace({ bbox }: uPlot, { from, to, axis }: Drawing): void {
    const next = placeOf(bbox, devicePixelRatio, from, to, axis);
    if (samePlace(placed, next)) return;
    placed = next;
    events.onPlaced(next);
  }

  /** The fingers are lifted, or what they were on is gone: what they made of the range is shown from now on. */
  function release(): void {
    const last = held;
    held = null;
    if (last) events.onMove(last.shown.from, last.shown.to);
  }

  function draw(): void {
    if (!now || width === 0 || height === 0) return;
    const { model } = now;
    try {
      if (chart && shape === model.shape) {
        chart.setData(data(model));
        return;
      }
      chart?.destroy();
      chart = make(model);
      shape = model.shape;
      // The fingers were on the chart that is gone, which hears of them no more.
      release();
    } catch (error) {
      events.onError(error);
    }
  }

  function fit(): void {
    if (chart) chart.setSize({ width, height });
    else draw();
  }

  const repaint = () => chart?.redraw(false, true);

  return {
    show(model, blank, look, from, to) {
      const axis = axisFor({ ...look, low: model.low, high: model.high });
      now = { model, blank, look, from, to, ...held?.shown, axis };
      takeTurn(draw);
    },
    point(time) {
      if (!chart) return null;
      const left = time === null ? -1 : chart.valToPos(time, "x");
      const inside = left >= 0 && left <= chart.over.clientWidth;
      pointed = false;
      chart.setCursor(inside ? { left, top: 0 } : AWAY, false);
      return chart.cursor.idx ?? null;
    },
    resize(nextWidth, nextHeight) {
      width = nextWidth;
      height = nextHeight;
      takeTurn(fit);
    },
    recolor() {
      clear();
      takeTurn(repaint);
    },
    destroy() {
      for (const turn of [draw, fit, repaint]) giveUpTurn(turn);
      chart?.destroy();
      chart = null;
      now = null;
    },
  };
}

const data = (model: Model) => [model.times, ...model.drawn.map((one) => one.values)] as uPlot.AlignedData;
const font = (): string => `12px ${getComputedStyle(document.documentElement).fontFamily}`;
