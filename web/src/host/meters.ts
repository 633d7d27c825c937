// The tiles that have a full scale: CPU, memory, every file system, every GPU, and what is told beside each. Pure.
import type { Level } from "../alerts/thresholds.ts";
import { familyWord, metricWord, unitOf } from "../api/catalogue.ts";
import type { Values } from "../api/types.gen.ts";
import { type Base, text } from "../format.ts";

/** So many are shown at first on a phone, where the charts would be far below otherwise; the style sheet says so, too. */
const FEW = 6;
/** A value is told with its time when it has not been sampled for so many periods. */
const LATE_PERIODS = 3;

export interface MeterTile {
  title: string;
  /** Metric path of a share in percent. */
  path: string;
  instance: string;
  value: number | null;
  /** What else there is to say, the most important first: the end is cut off where room is short. */
  beside: string[];
}

type Row = Record<string, number | null>;

/** `cores`: 0 while nobody knows. */
export function metersOf({ cpu, memory, filesystem, gpu }: Values, cores: number, base: Base): MeterTile[] {
  const valueIn = (path: string, row: Row) => row[path.slice(path.indexOf(".") + 1)] ?? null;
  const told = (path: string, row: Row) => text(valueIn(path, row), unitOf(path), base);
  const named = (path: string, row: Row) =>
    valueIn(path, row) === null ? [] : [`${metricWord(path)} ${told(path, row)}`];
  const tile = (path: string, instance: string, title: string, row: Row, beside: string[]): MeterTile => ({
    title,
    path,
    instance,
    value: valueIn(path, row),
    beside,
  });
  const rows = (instances: Values[string] | undefined) => Object.entries(instances ?? {}) as [string, Row][];
  return [
    ...rows(cpu).map(([instance, row]) =>
      tile("cpu.total", instance, familyWord("cpu"), row, [
        ...named("cpu.load1", row),
        ...(cores > 0 ? [`${cores} cores`] : []),
      ]),
    ),
    ...rows(memory).map(([instance, row]) =>
      tile("memory.used_percent", instance, familyWord("memory"), row, [
        `${told("memory.used", row)} of ${told("memory.total", row)}`,
        ...(row.swap_total ? named("memory.swap_percent", row) : []),
      ]),
    ),
    ...rows(filesystem).map(([mount, row]) =>
      tile("filesystem.used_percent", mount, mount, row, [
        row.stuck ? "does not answer" : `${told("filesystem.available", row)} free`,
        ...(row.read_only ? ["read-only"] : []),
        ...named("filesystem.inodes_percent", row),
      ]),
    ),
    ...rows(gpu).map(([name, row]) =>
      tile("gpu.utilisation", name, `${familyWord("gpu")} ${name}`, row, [
        ...named("gpu.memory_percent", row),
        told("gpu.temperature", row),
        told("gpu.power", row),
      ]),
    ),
  ];
}

/** How many tiles a phone hides at first: none of those that have reached a limit. */
export const hiddenOf = (levels: readonly Level[]): number =>
  levels.slice(FEW).filter((level) => level === "normal").length;

/** Whether a value sampled at `sampled` is not of the present, which is the host's `newest` sample. */
export const isLate = (sampled: number | undefined, newest: number | null, period_ms: number): boolean =>
  sampled !== undefined && newest !== null && newest - sampled > LATE_PERIODS * period_ms;
