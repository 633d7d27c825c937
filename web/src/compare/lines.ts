// From what the gateway answers of several hosts to the lines of one chart: which of them, what they are called, and what
// was a day or a week before behind them. Pure.
import type { FleetColumn, FleetSeriesAnswer } from "../api/types.gen.ts";
import { firstAtOrAfter, type Ring } from "../charts/ring.ts";

import type { Answered, Extent } from "../charts/source.ts";
import type { Values } from "../charts/timeline.ts";
import { type Asked, MOST_LINES } from "./asked.ts";
import { MOST_COLUMNS } from "./asking.ts";

/** What the metric of a line behind is called; no catalogue has it. */
export const behindOf = (metric: string): string => `${metric}@behind`;

export interface Line {
  host: string;
  instance: string;
  name: string;
}

/** What hosts are called, by their ids. */
export type Names = ReadonlyMap<string, string>;

export interface Chosen {
  lines: readonly Line[];
  /** Lines that there are besides. */
  more: number;
}

const mean = (values: Values): number => {
  const known = values.filter((value): value is number => value !== null);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : Number.NEGATIVE_INFINITY;
};

/**
 * The lines to draw of `answer`: those of the instances that are asked for, or of all if there are none of these; the
 * largest where there are too many. A host that `names` lacks is called by its id.
 */
export function choose(
  { series, considered }: Pick<FleetSeriesAnswer, "series" | "considered">,
  { hosts, instances, top }: Pick<Asked, "hosts" | "instances" | "top">,
  names: Names = new Map(),
): Chosen {
  const ranked = hosts.length === 0;
  const most = ranked ? top : MOST_LINES;
  const some = series.filter(({ instance }) => instances.includes(instance));
  const fitting = some.length > 0 ? some : series;
  const largest =
    fitting.length > most
      ? [...fitting].sort((a, b) => (b.rank ?? mean(b.avg)) - (a.rank ?? mean(a.avg))).slice(0, most)
      : fitting;
  const alone = new Set(fitting.map((column) => column.host)).size === 1;
  const lines = largest.map(({ host, instance }) => ({
    host,
    instance,
    name: nameOf(names.get(host) ?? host, instance, alone),
  }));
  // An answer that is full may not have all that there is.
  const all = considered > MOST_COLUMNS ? considered : fitting.length;
  return { lines, more: ranked ? 0 : all - lines.length };
}

/** `alone`: there is one host only, which need not be said with each of its instances. */
function nameOf(host: string, instance: string, alone: boolean): string {
  if (!instance) return host;
  return alone ? instance : `${host} ${instance}`;
}

/** What hosts are called: by their labels, with the id where two of them have the same one. */
export function namesOf(hosts: readonly string[], labelOf: (host: string) => string): Names {
  const labels = hosts.map((host) => labelOf(host) || host);
  return new Map(
    hosts.map((host, at) => {
      const label = labels[at] as string;
      const shared = label !== host && labels.some((other, of) => of !== at && other === label);
      return [host, shared ? `${label} (${host})` : label];
    }),
  );
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

/** A host that is so much behind the others does not hold them up. */
const LATE_MS = 15_000;

/** Up to where samples of all hosts are there, given the time of each one's newest; null where there are none. */
export function togetherAt(newest: readonly number[]): number | null {
  const last = Math.max(...newest);
  return newest.length > 0 ? Math.min(...newest.filter((time) => time > last - LATE_MS)) : null;
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

/** The lowest and the highest value from `from` to `to` of any line, those behind included, stored or live; zero is in it. */
export function extentOf(
  { series, step_ms, times }: Answered,
  rings: Iterable<Ring>,
  from: number,
  to: number,
): Extent {
  const extent = { low: 0, high: 0 };
  const take = (value: number | null | undefined) => {
    if (value === null || value === undefined) return;
    if (value < extent.low) extent.low = value;
    if (value > extent.high) extent.high = value;
  };
  const first = from - step_ms;
  const begin = firstAtOrAfter(times, first);
  for (const { min, max } of series)
    for (let at = begin; at < times.length && (times[at] as number) <= to; at += 1) {
      take(min[at]);
      take(max[at]);
    }
  for (const ring of rings)
    for (
      let at = firstAtOrAfter(ring.times, first);
      at < ring.times.length && (ring.times[at] as number) <= to;
      at += 1
    )
      take(ring.values[at]);
  return extent;
}
