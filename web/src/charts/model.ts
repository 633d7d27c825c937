// From a timeline to what is drawn: columns, colours, bands and the legend. Pure; knows nothing of the chart library.
import { metricWord } from "../api/catalogue.ts";
import { type ChartSpec, draws, instanceName, type Part } from "./spec.ts";
import { bridged, type Line, lastKnown, type Timeline, type Values } from "./timeline.ts";
import { LIVE_STEP_MS, type Window } from "./window.ts";

export type Column = (number | null | undefined)[];

/** A colour of the page. */
export interface Paint {
  /** Index into the palette; -1 is the text's own colour. */
  color: number;
  /** Tells the mirrored part of an instance from the other one, where both have the instance's colour. */
  pale: boolean;
}

export interface Drawn extends Paint {
  values: Column;
  /** Drawn dashed. */
  behind?: boolean;
  style: "line" | "filled" | "stacked" | "edge";
}

/** One part of a legend line: its unstacked values. */
export interface Reading extends Paint {
  metric: string;
  instance: string;
  /** Empty where the line's name says it all. */
  word: string;
  values: Values;
  /** The value of the last steps; null where there is none, however lately there was one. */
  latest: number | null;
  /** Of each step the highest sample. */
  highest: Values;
}

export interface LegendLine {
  key: string;
  name: string;
  readings: Reading[];
  /** True when it is zero, or unknown, all the time. */
  idle: boolean;
}

export interface Model {
  times: number[];
  step_ms: number;
  drawn: Drawn[];
  /** Filled between the first column and the second. */
  bands: (Paint & { upper: number; lower: number })[];
  legend: LegendLine[];
  /** Lowest and highest value drawn, zero included. */
  low: number;
  high: number;
  /** True when nothing is known at all. */
  empty: boolean;
  /** Changes when the chart must be made anew instead of given new data. */
  shape: string;
}

/** More lines than this, and their min-max bands would hide one another. */
const MOST_BANDS = 4;
/** More instances than this, and their filled areas would. */
const MOST_FILLED = 2;

/** What `spec` draws of `timeline`. `solo`: the key of the one legend line to draw, or null for all. */
export function model(spec: ChartSpec, timeline: Timeline, period_ms: number, solo: string | null): Model {
  const { times, step_ms } = timeline;
  const lines = timeline.lines.filter((line) => draws(spec, line.instance));
  const summed = step_ms > period_ms;
  const legend = legendOf(spec, lines, latestSteps(step_ms));
  const alone = legend.filter((line) => line.key === solo);
  const shown = alone.length > 0 ? alone : legend;
  const drawn: Drawn[] = [];
  const bands: Model["bands"] = [];
  const column = (values: Values): Column => (summed ? values : bridged(values));

  const withBand = (line: Line, sign: 1 | -1, paint: Paint, style: Drawn["style"], band: boolean) => {
    drawn.push({ values: column(signed(line.avg, sign)), style, ...paint });
    if (!band) return;
    drawn.push(
      { values: signed(line.max, sign), style: "edge", ...paint },
      { values: signed(line.min, sign), style: "edge", ...paint },
    );
    const upper = drawn.length - (sign > 0 ? 2 : 1);
    bands.push({ upper, lower: sign > 0 ? upper + 1 : upper - 1, ...paint });
  };

  if (spec.kind === "stack" && shown.length > 1) {
    let below: Values = times.map(() => 0);
    for (const line of shown.filter((one) => one.key !== spec.total)) {
      const { values, color, pale } = line.readings[0] as Reading;
      below = below.map((base, at) => add(base, values[at] ?? null));
      drawn.push({ values: column(below), color, pale, style: "stacked" });
      if (drawn.length > 1) bands.push({ upper: drawn.length - 1, lower: drawn.length - 2, color, pale });
    }
    const total = lines.find((line) => line.metric === spec.total);
    if (total) withBand(total, 1, TEXT, "line", summed);
  } else {
    const band = summed && shown.length * spec.parts.length <= MOST_BANDS;
    for (const one of shown)
      for (const { part, line, paint } of partsOf(spec, lines, one.key)) {
        const filled = shown.length === 1 || (part.filled && (spec.legend === "part" || shown.length <= MOST_FILLED));
        if (part.behind) drawn.push({ values: column(line.avg), style: "line", behind: true, ...paint });
        else withBand(line, part.mirrored ? -1 : 1, paint, filled ? "filled" : "line", band);
      }
  }

  const { low, high } = extent(drawn);
  return {
    times,
    step_ms,
    drawn,
    bands,
    legend,
    low,
    high,
    empty: lines.every((line) => line.avg.every((value) => value === null)),
    shape:
      drawn.map((one) => `${one.color}${one.pale ? "p" : ""}${one.behind ? "b" : ""}${one.style}`).join() +
      bands.map((band) => `${band.upper}-${band.lower}`).join(),
  };
}

const TEXT: Paint = { color: -1, pale: false };

interface Found {
  part: Part;
  line: Line;
  paint: Paint;
}

/** What the legend line `key` stands for, as far as it is there. */
function partsOf(spec: ChartSpec, lines: readonly Line[], key: string): Found[] {
  if (spec.legend === "part") {
    const at = spec.parts.findIndex((part) => part.metric === key);
    const line = lines.find((one) => one.metric === key);
    return line ? [{ part: spec.parts[at] ?? { metric: key }, line, paint: { color: at, pale: false } }] : [];
  }
  const instances = instancesOf(lines);
  const apart = instances.length > 1;
  return spec.parts.flatMap((part, at) => {
    const line = lines.find((one) => one.metric === part.metric && one.instance === key);
    const pale = part.mirrored === true || part.behind === true;
    const paint = apart
      ? { color: instances.indexOf(key), pale }
      : { color: part.behind ? 0 : at, pale: pale && !part.mirrored };
    return line ? [{ part, line, paint }] : [];
  });
}

const instancesOf = (lines: readonly Line[]): string[] => [...new Set(lines.map((line) => line.instance))].sort();

/** The newest values of a chart that follows the present are of now where its steps are short; all others are only the last. */
export type LatestWord = "Now" | "Last";
export const latestWord = ({ kind }: Pick<Window, "kind">, step_ms: number): LatestWord =>
  kind === "live" && step_ms <= LIVE_STEP_MS ? "Now" : "Last";

/** Without a stream samples are shown so late; of longer steps the last two may not be stored yet. */
const LATE_MS = 60_000;
const latestSteps = (step_ms: number): number => Math.max(2, Math.ceil(LATE_MS / step_ms));

function legendOf(spec: ChartSpec, lines: readonly Line[], latest_steps: number): LegendLine[] {
  const byPart = spec.legend === "part";
  const keys = byPart
    ? [...(spec.total ? [spec.total] : []), ...spec.parts.map((part) => part.metric)]
    : instancesOf(lines);
  return keys.flatMap((key) => {
    const found = partsOf(spec, lines, key);
    const worded = !byPart && spec.parts.length > 1;
    const line: LegendLine = {
      key,
      name: byPart ? (found[0]?.part.word ?? metricWord(key)) : instanceName(spec, key),
      readings: found.map(({ part, line, paint }) => ({
        word: worded ? (part.word ?? metricWord(part.metric)) : "",
        values: line.avg,
        latest: lastKnown(line.avg, line.avg.length - 1, latest_steps),
        highest: line.max,
        metric: part.metric,
        instance: line.instance,
        ...paint,
      })),
      idle: found.every(({ line }) => line.max.every((value) => !value)),
    };
    return found.length > 0 ? [line] : [];
  });
}

const signed = (values: Values, sign: 1 | -1): Values =>
  sign > 0 ? values : values.map((value) => (value === null ? null : -value));

const add = (below: number | null, value: number | null): number | null =>
  below === null || value === null ? null : below + value;

function extent(drawn: Drawn[]): { low: number; high: number } {
  let low = 0;
  let high = 0;
  for (const { values } of drawn)
    for (const value of values)
      if (value !== null && value !== undefined) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
  return { low, high };
}

/** A legend line's values at index `at`, or its latest ones when `at` is null. */
export function readingsAt(
  line: LegendLine,
  at: number | null,
): (Omit<Reading, "values" | "latest" | "highest"> & { value: number | null })[] {
  return line.readings.map(({ values, latest, highest: _, ...reading }) => ({
    ...reading,
    value: at === null ? latest : (values[at] ?? null),
  }));
}

/** Whether a column has one value only: it needs a point, as no line would show it. */
export const standsAlone = (values: Column): boolean =>
  values.reduce<number>((count, value) => count + (value === null || value === undefined ? 0 : 1), 0) === 1;
