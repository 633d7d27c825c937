// The one file that touches the chart library: draws a Model into an element and reports cursor, drag and double click.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Base } from "../format.ts";
import { text, ticks } from "../format.ts";
import type { Drawn, Model } from "./model.ts";
import { axisRange, axisTicks } from "./scale.ts";

export interface Look {
  unit: string;
  base: Base;
  /** The axis reaches at least this far. */
  floor: number;
  /** Top of the axis, where it is known beforehand. */
  ceiling: number | null;
  /** Values at which to draw dashed lines. */
  warning: number | null;
  critical: number | null;
}

export interface Events {
  /** Index of the time under the shared cursor; null when it has left. */
  onCursor: (index: number | null) => void;
  /** A drag from one time to another, Unix milliseconds. */
  onDrag: (from: number, to: number) => void;
  onDoubleClick: () => void;
}

export interface Plot {
  /** Draws `model` between two times (ms). */
  show: (model: Model, look: Look, from: number, to: number) => void;
  resize: (width: number, height: number) => void;
  /** Draws again in the page's colours as they are now. */
  recolor: () => void;
  destroy: () => void;
}

const COLORS = 8;
const SHARED_CURSOR = "sonde";

export function createPlot(box: HTMLElement, events: Events): Plot {
  const colors = new Map<string, string>();
  let chart: uPlot | null = null;
  let now: { model: Model; look: Look; from: number; to: number } | null = null;
  let width = box.clientWidth;
  let height = box.clientHeight;

  /** A custom property of the page as a colour that a canvas understands. */
  function color(name: string, alpha = 1): string {
    const key = `${name}/${alpha}`;
    let found = colors.get(key);
    if (!found) {
      const probe = document.createElement("i");
      probe.style.color = alpha < 1 ? `color-mix(in srgb, var(${name}) ${alpha * 100}%, transparent)` : `var(${name})`;
      box.append(probe);
      found = getComputedStyle(probe).color;
      probe.remove();
      colors.set(key, found);
    }
    return found;
  }
  const lineColor = (index: number, alpha = 1) => color(index < 0 ? "--text" : `--c${(index % COLORS) + 1}`, alpha);

  function series(drawn: Drawn): uPlot.Series {
    const edge = drawn.style === "edge";
    const made: uPlot.Series = {
      stroke: () => (edge ? "transparent" : lineColor(drawn.color, drawn.style === "stacked" ? 0.8 : 1)),
      width: edge ? 0 : drawn.style === "stacked" ? 0.75 : 1.4,
      points: { show: lonely },
    };
    if (drawn.style === "filled") made.fill = () => lineColor(drawn.color, 0.14);
    if (drawn.style === "stacked") made.fill = () => lineColor(drawn.color, 0.5);
    return made;
  }

  function make(model: Model): uPlot {
    const options: uPlot.Options = {
      width,
      height,
      ms: 1,
      pxAlign: 0,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: {
        y: false,
        points: { size: 6 },
        drag: { x: true, y: false, setScale: false },
        // Only the pointer's place is shared: a drag belongs to the chart it began in.
        sync: {
          key: SHARED_CURSOR,
          scales: ["x", null],
          filters: { pub: (type) => type === "mousemove" || type === "mouseleave", sub: () => true },
        },
        bind: {
          dblclick: () => () => {
            events.onDoubleClick();
            return null;
          },
        },
      },
      scales: {
        x: { time: true, range: () => [now?.from ?? 0, now?.to ?? 1] },
        y: {
          range: () => {
            if (!now) return [0, 1];
            const { look } = now;
            const [low, high] = axisRange(now.model.low, now.model.high, look.unit, look.base, look.floor);
            return [low, look.ceiling !== null && now.model.high <= look.ceiling ? look.ceiling : high];
          },
        },
      },
      axes: [
        {
          stroke: () => color("--muted"),
          font: font(),
          size: 26,
          gap: 4,
          space: 80,
          grid: { show: false },
          ticks: { show: true, size: 4, width: 1, stroke: () => color("--line") },
          values: (u, splits, _, __, step) => {
            // A label that would be cut off at the right edge is left out.
            const room = u.bbox.width / devicePixelRatio - 16;
            return ticks(splits, step).map((label, at) => (u.valToPos(splits[at] as number, "x") > room ? "" : label));
          },
        },
        {
          stroke: () => color("--muted"),
          font: font(),
          size: 64,
          gap: 6,
          grid: { width: 1, stroke: () => color("--line", 0.8) },
          ticks: { show: false },
          splits: (_, __, low, high) =>
            axisTicks(low, high, now?.look.unit ?? "", now?.look.base ?? 1024, Math.max(2, Math.floor(height / 44))),
          values: (_, splits) => splits.map((value) => axisText(Math.abs(value), now?.look)),
        },
      ],
      series: [{}, ...model.drawn.map(series)],
      bands: model.bands.map((band) => ({
        series: [band.upper + 1, band.lower + 1],
        fill: (u: uPlot) => lineColor(band.color, u.series[band.lower + 1]?.width === 0 ? 0.16 : 0.5),
      })),
      hooks: {
        drawClear: [drawGaps],
        draw: [drawThresholds],
        setCursor: [(u) => events.onCursor(u.cursor.idx ?? null)],
        setSelect: [
          (u) => {
            const { left, width: span } = u.select;
            if (span <= 0) return;
            events.onDrag(u.posToVal(left, "x"), u.posToVal(left + span, "x"));
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    };
    return new uPlot(options, data(model), box);
  }

  /** Grey, hatched stretches of which nothing is known. */
  function drawGaps(u: uPlot): void {
    if (!now?.model.gaps.length) return;
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    for (const gap of now.model.gaps) {
      const left = Math.max(u.valToPos(gap.from, "x", true), bbox.left);
      const right = Math.min(u.valToPos(gap.to, "x", true), bbox.left + bbox.width);
      if (right > left) ctx.rect(left, bbox.top, right - left, bbox.height);
    }
    ctx.fillStyle = color("--muted", 0.05);
    ctx.fill();
    ctx.clip();
    ctx.strokeStyle = color("--muted", 0.1);
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    for (let x = bbox.left - bbox.height; x < bbox.left + bbox.width; x += 8 * devicePixelRatio) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }

  function drawThresholds(u: uPlot): void {
    if (!now) return;
    const { ctx, bbox } = u;
    const top = u.scales.y?.max ?? 0;
    ctx.save();
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const [value, name] of [
      [now.look.warning, "--warning"],
      [now.look.critical, "--critical"],
    ] as const) {
      if (value === null || value > top) continue;
      const y = Math.round(u.valToPos(value, "y", true));
      ctx.strokeStyle = color(name, 0.65);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  return {
    show(model, look, from, to) {
      const old = now;
      now = { model, look, from, to };
      if (width === 0 || height === 0) return;
      if (!chart || old?.model.shape !== model.shape) {
        chart?.destroy();
        chart = make(model);
      } else {
        chart.setData(data(model));
      }
    },
    resize(nextWidth, nextHeight) {
      width = nextWidth;
      height = nextHeight;
      if (chart) chart.setSize({ width, height });
      else if (now && width > 0 && height > 0) chart = make(now.model);
    },
    recolor() {
      colors.clear();
      chart?.redraw(false, true);
    },
    destroy() {
      chart?.destroy();
      chart = null;
    },
  };
}

const data = (model: Model): uPlot.AlignedData =>
  [model.times, ...model.drawn.map((one) => one.values)] as uPlot.AlignedData;

const font = (): string => `11px ${getComputedStyle(document.documentElement).fontFamily}`;

const axisText = (value: number, look: Look | undefined): string =>
  look?.unit === "%" ? `${Math.round(value * 10) / 10}\u00a0%` : text(value, look?.unit ?? "", look?.base ?? 1024);

/** Points are drawn only where a value stands alone between gaps, as no line would show it. */
function lonely(u: uPlot, index: number): boolean {
  const values = u.data[index] as (number | null | undefined)[];
  const known = values.reduce<number>((count, value) => count + (value === null || value === undefined ? 0 : 1), 0);
  return known === 1;
}
