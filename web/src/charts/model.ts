// From a timeline to what is drawn: columns, colours, bands and the legend. Pure; knows nothing of the chart library.
import type { ChartSpec } from "../host/charts.ts";
import { bridged, type Line, lastKnown, type Timeline, type Values } from "./timeline.ts";

export type Column = (number | null | undefined)[];

export interface Drawn {
  values: Column;
  /** Index into the palette; -1 is the text's own colour. */
  color: number;
  style: "line" | "filled" | "stacked" | "edge";
}

export interface LegendLine {
  key: string;
  name: string;
  color: number;
  /** The unstacked values, one per part of the line. */
  readings: { word: string; values: Values }[];
}

export interface Model {
  times: number[];
  step_ms: number;
  drawn: Drawn[];
  /** Filled between the first column and the second. */
  bands: { upper: number; lower: number; color: number }[];
  legend: LegendLine[];
  /** Lowest and highest value drawn, zero included. */
  low: number;
  high: number;
  /** Stretches longer than two steps of which nothing is known. */
  gaps: { from: number; to: number }[];
  /** True when nothing is known at all. */
  empty: boolean;
  /** Changes when the chart must be made anew instead of given new data. */
  shape: string;
}

/** More lines than this, and their min-max bands would hide one another. */
const MOST_BANDS = 4;

/** What `spec` draws of `timeline`. `solo`: the key of the one legend line to draw, or null for all. */
export function model(spec: ChartSpec, timeline: Timeline, period_ms: number, solo: string | null): Model {
  const { times, step_ms } = timeline;
  const summed = step_ms > period_ms;
  const legend = legendOf(spec, timeline.lines);
  const shown =
    solo !== null && legend.some((line) => line.key === solo) ? legend.filter((line) => line.key === solo) : legend;
  const drawn: Drawn[] = [];
  const bands: Model["bands"] = [];
  const column = (values: Values): Column => (summed ? values : bridged(values));

  const withBand = (line: Line, sign: 1 | -1, color: number, style: Drawn["style"], band: boolean) => {
    drawn.push({ values: column(signed(line.avg, sign)), color, style });
    if (!band) return;
    drawn.push(
      { values: signed(line.max, sign), color, style: "edge" },
      { values: signed(line.min, sign), color, style: "edge" },
    );
    const upper = drawn.length - (sign > 0 ? 2 : 1);
    bands.push({ upper, lower: sign > 0 ? upper + 1 : upper - 1, color });
  };
  const find = (metric: string, instance: string) =>
    timeline.lines.find((line) => line.metric === metric && line.instance === instance);

  if (spec.kind === "stack" && shown.length > 1) {
    let below: Values = times.map(() => 0);
    for (const line of shown.filter((one) => one.key !== spec.total)) {
      const values = line.readings[0]?.values ?? [];
      below = below.map((base, at) => add(base, values[at] ?? null));
      drawn.push({ values: column(below), color: line.color, style: "stacked" });
      if (drawn.length > 1) bands.push({ upper: drawn.length - 1, lower: drawn.length - 2, color: line.color });
    }
    const total = spec.total ? find(spec.total, "") : undefined;
    if (total) withBand(total, 1, -1, "line", summed);
  } else {
    const band = summed && shown.length * spec.parts.length <= MOST_BANDS;
    const parts = spec.total ? [...spec.parts, { metric: spec.total, word: "total" }] : spec.parts;
    for (const line of shown)
      for (const part of parts) {
        const matches =
          spec.legend === "instance"
            ? find(part.metric, line.key)
            : part.metric === line.key
              ? find(part.metric, "")
              : undefined;
        if (!matches) continue;
        const filled = part.filled === true && shown.length <= 2;
        withBand(matches, part.mirrored ? -1 : 1, line.color, filled || shown.length === 1 ? "filled" : "line", band);
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
    gaps: gapsOf(times, step_ms, timeline.lines),
    empty: timeline.lines.every((line) => line.avg.every((value) => value === null)),
    shape:
      drawn.map((one) => `${one.color}${one.style}`).join() + bands.map((band) => `${band.upper}-${band.lower}`).join(),
  };
}

function legendOf(spec: ChartSpec, lines: Line[]): LegendLine[] {
  if (spec.legend === "part") {
    const parts = spec.parts.map((part, at) => ({ ...part, color: at }));
    if (spec.total) parts.unshift({ metric: spec.total, word: "total", color: -1 });
    return parts.flatMap(({ metric, word, color }) => {
      const line = lines.find((one) => one.metric === metric);
      return line ? [{ key: metric, name: word, color, readings: [{ word: "", values: line.avg }] }] : [];
    });
  }
  const instances = [...new Set(lines.map((line) => line.instance))].sort();
  return instances.map((instance, at) => ({
    key: instance,
    name: instance,
    color: at,
    readings: spec.parts.flatMap((part) => {
      const line = lines.find((one) => one.metric === part.metric && one.instance === instance);
      return line ? [{ word: spec.parts.length > 1 ? part.word : "", values: line.avg }] : [];
    }),
  }));
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

function gapsOf(times: number[], step_ms: number, lines: Line[]): Model["gaps"] {
  const gaps: Model["gaps"] = [];
  let start = -1;
  const end = (at: number) => {
    if (start >= 0 && at - start > 2)
      gaps.push({ from: times[start] as number, to: (times[at - 1] as number) + step_ms });
    start = -1;
  };
  times.forEach((_, at) => {
    const known = lines.some((line) => line.avg[at] !== null);
    if (known) end(at);
    else if (start < 0) start = at;
  });
  end(times.length);
  return gaps;
}

/** A legend line's values at index `at`, or its latest ones when `at` is null. */
export function readingsAt(line: LegendLine, at: number | null): { word: string; value: number | null }[] {
  return line.readings.map(({ word, values }) => ({
    word,
    value: at === null ? lastKnown(values, values.length - 1, 30) : (values[at] ?? null),
  }));
}
