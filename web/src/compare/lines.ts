// From what the gateway answers of several hosts to the lines of one chart: which of them, what they are called, and what
// was a day or a week before behind them. Pure.
import type { FleetColumn, FleetSeriesAnswer } from "../api/types.gen.ts";
import type { Answered } from "../charts/source.ts";
import type { Values } from "../charts/timeline.ts";

/** What the metric of a line behind is called; no catalogue has it. */
export const behindOf = (metric: string): string => `${metric}@behind`;

export interface Line {
  host: string;
  instance: string;
  name: string;
}

export interface Chosen {
  lines: readonly Line[];
  /** Lines that there are besides. */
  more: number;
  /** Every instance that the hosts have. */
  instances: readonly string[];
}

const mean = (values: Values): number => {
  const known = values.filter((value): value is number => value !== null);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : Number.NEGATIVE_INFINITY;
};

/** The lines to draw of `answer`: those of `instances`, or of all if there are none of these; the largest where there are too many. */
export function choose(answer: FleetSeriesAnswer, instances: readonly string[], most: number): Chosen {
  const all = [...new Set(answer.series.map((column) => column.instance))].filter(Boolean).sort();
  const wanted = instances.filter((one) => all.includes(one));
  const fitting = wanted.length > 0 ? answer.series.filter(({ instance }) => wanted.includes(instance)) : answer.series;
  const ranked =
    fitting.length > most
      ? [...fitting].sort((a, b) => (b.rank ?? mean(b.avg)) - (a.rank ?? mean(a.avg))).slice(0, most)
      : fitting;
  const alone = new Set(fitting.map((column) => column.host)).size === 1;
  const lines = ranked.map(({ host, instance }) => ({ host, instance, name: nameOf(host, instance, alone) }));
  return { lines, more: fitting.length - lines.length, instances: all };
}

/** `alone`: there is one host only, which need not be said with each of its instances. */
function nameOf(host: string, instance: string, alone: boolean): string {
  if (!instance) return host;
  return alone ? instance : `${host} ${instance}`;
}

const columnOf = (answer: FleetSeriesAnswer, { host, instance }: Line): FleetColumn | undefined =>
  answer.series.find((column) => column.host === host && column.instance === instance);

/** What a chart draws of `lines`: as they are, and as they were `shift_ms` before, moved onto the same times. */
export function answered(
  answer: FleetSeriesAnswer,
  before: FleetSeriesAnswer | null,
  lines: readonly Line[],
  shift_ms: number,
): Answered {
  const { metric, unit, from, resolution, step_ms } = answer;
  const times = before ? reaching(answer, before.to + shift_ms) : answer.times;
  const series: Answered["series"] = lines.flatMap((line) => {
    const column = columnOf(answer, line);
    const { avg, min, max } = column ?? { avg: [], min: [], max: [] };
    return [{ metric, instance: line.name, unit, avg, min, max }];
  });
  for (const line of before ? lines : []) {
    const column = columnOf(before as FleetSeriesAnswer, line);
    if (!column) continue;
    const avg = moved(column.avg, before as FleetSeriesAnswer, shift_ms, times, step_ms);
    series.push({ metric: behindOf(metric), instance: line.name, unit, avg, min: avg, max: avg });
  }
  return { from, to: answer.to, resolution, step_ms, times, series };
}

/** The times of `answer`, going on to `until`: what was yesterday is known further than what is today. */
function reaching({ times, step_ms }: FleetSeriesAnswer, until: number): number[] {
  const all = [...times];
  for (let next = (all.at(-1) ?? until) + step_ms; next < until; next += step_ms) all.push(next);
  return all;
}

/** `values` on the grid of `before`, `shift_ms` later, on `times`: where its steps are shorter their mean. */
export function moved(
  values: Values,
  before: Pick<FleetSeriesAnswer, "times" | "step_ms">,
  shift_ms: number,
  times: readonly number[],
  step_ms: number,
): Values {
  const first = (before.times[0] ?? 0) + shift_ms;
  return times.map((time) => {
    const begin = Math.floor((time - first) / before.step_ms);
    const end = Math.max(begin + 1, Math.floor((time + step_ms - first) / before.step_ms));
    if (begin < 0) return null;
    const known = values.slice(begin, end).filter((value): value is number => value !== null);
    return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  });
}

/** The largest value of any line, those behind included; null when nothing is known, or something is below zero. */
export function largestOf({ series }: Answered): number | null {
  let most: number | null = null;
  for (const { max } of series)
    for (const value of max) {
      if (value === null) continue;
      if (value < 0) return null;
      if (most === null || value > most) most = value;
    }
  return most;
}
