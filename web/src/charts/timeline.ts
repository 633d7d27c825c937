// Stored series continued by live samples, on one grid, so that no seam shows where one ends and the other begins.
import { boundedStep } from "./grid.ts";
import { firstAtOrAfter, type Ring } from "./ring.ts";
import type { Answered } from "./source.ts";

export type Values = (number | null)[];

/** One metric of one instance on the grid of its timeline. Where every step is one sample, avg, min and max are equal. */
export interface Line {
  metric: string;
  instance: string;
  avg: Values;
  min: Values;
  max: Values;
}

export interface Timeline {
  step_ms: number;
  /** Starts of the steps, Unix milliseconds, without holes. */
  times: number[];
  lines: Line[];
}

/** Live rings by `metric`, then instance. */
export type Rings = ReadonlyMap<string, ReadonlyMap<string, Ring>>;

const NO_RINGS: ReadonlyMap<string, Ring> = new Map();

/**
 * The lines of `metrics` from `from` to `to` (ms). A step that live samples cover from its start takes their average,
 * minimum and maximum; every other step takes the stored ones. A step with neither is null. Steps too short for the range
 * are made longer: there are never more than `MOST_STEPS` of them.
 */
export function timeline(
  base: Answered | null,
  rings: Rings,
  metrics: readonly string[],
  asked_step_ms: number,
  from: number,
  to: number,
): Timeline {
  const step_ms = boundedStep(asked_step_ms, to - from);
  const first = Math.floor(from / step_ms) * step_ms;
  const steps = Math.max(0, Math.floor((to - first) / step_ms) + 1);
  const times = Array.from({ length: steps }, (_, at) => first + at * step_ms);
  const usable = base !== null && base.step_ms === step_ms ? base : null;
  const offset = usable?.times.length ? Math.round((first - (usable.times[0] as number)) / step_ms) : 0;

  const lines: Line[] = [];
  for (const metric of metrics) {
    const stored = usable?.series.filter((column) => column.metric === metric) ?? [];
    const live = rings.get(metric) ?? NO_RINGS;
    // What ended before or began after is no line: a page that is open for days has seen many containers.
    const shown = [...live].filter(([, { times }]) => (times.at(-1) ?? from) >= from && (times[0] ?? to) <= to);
    const instances = new Set([...stored.map((column) => column.instance), ...shown.map(([instance]) => instance)]);
    for (const instance of instances) {
      const column = stored.find((candidate) => candidate.instance === instance);
      const line = {
        metric,
        instance,
        avg: cut(column?.avg, offset, steps),
        min: cut(column?.min, offset, steps),
        max: cut(column?.max, offset, steps),
      };
      const ring = live.get(instance);
      if (ring) overlay(line, ring, first, step_ms);
      lines.push(line);
    }
  }
  return { step_ms, times, lines };
}

function cut(values: Values | undefined, offset: number, steps: number): Values {
  return Array.from({ length: steps }, (_, at) => values?.[at + offset] ?? null);
}

/** Writes the steps that `ring` covers from their start into `line`. */
function overlay(line: Line, ring: Ring, first: number, step_ms: number): void {
  const { times, values } = ring;
  if (times.length === 0) return;
  // The step in which the ring begins may hold earlier samples that only the store knows.
  const covered = Math.ceil((times[0] as number) / step_ms) * step_ms;
  let at = firstAtOrAfter(times, Math.max(covered, first));
  while (at < times.length) {
    const step = Math.floor(((times[at] as number) - first) / step_ms);
    if (step >= line.avg.length) return;
    const end = first + (step + 1) * step_ms;
    let count = 0;
    let sum = 0;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (; at < times.length && (times[at] as number) < end; at += 1) {
      const value = values[at] as number | null;
      if (value === null) continue;
      count += 1;
      sum += value;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (count === 0) continue;
    line.avg[step] = sum / count;
    line.min[step] = low;
    line.max[step] = high;
  }
}

/**
 * `values` with holes of one step made `undefined`, which a chart draws through. Only for steps as short as the
 * sampling period: there a sample taken a few milliseconds late leaves an empty step and a doubled one, which is no gap.
 */
export function bridged(values: Values): (number | null | undefined)[] {
  return values.map((value, at) => {
    const alone = value === null && at > 0 && values[at - 1] !== null && (values[at + 1] ?? null) !== null;
    return alone ? undefined : value;
  });
}

/** The last value that is not null, at most `steps` back from index `at`. */
export function lastKnown(values: Values, at: number, steps: number): number | null {
  for (let index = Math.min(at, values.length - 1); index >= Math.max(0, at - steps); index -= 1) {
    const value = values[index];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}
