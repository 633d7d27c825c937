// The catalogue looked up by path, and its words. Pure.
import { CATALOGUE, OVERVIEW, VIRTUAL } from "./catalogue.gen.ts";
import type { Family, Metric, VirtualMetric } from "./types.gen.ts";

export { CATALOGUE, OVERVIEW, VIRTUAL };

/** The metric of rules that watch for silence; it is in no family. */
export const HOST_DOWN = "host.down";

/** A metric by its path; undefined when this dashboard does not know it. */
export function metricOf(path: string): { family: Family; metric: Metric } | undefined {
  const [familyName, metricName] = path.split(".");
  const family = familyOf(familyName ?? "");
  const metric = family?.metrics.find((one) => one.name === metricName);
  return family && metric ? { family, metric } : undefined;
}

export const familyOf = (name: string): Family | undefined => CATALOGUE.find((one) => one.name === name);

/** A metric that no host samples; undefined for any other. */
export const virtualOf = (path: string): VirtualMetric | undefined => VIRTUAL.find((one) => one.path === path);

/** What there are several of, such as mounts; empty: nothing. */
export const instanceOf = (path: string): string => virtualOf(path)?.instance ?? metricOf(path)?.family.instance ?? "";

/** The unit of a metric, or of a rule's thresholds: seconds of silence for host.down. */
export const unitOf = (path: string): string => virtualOf(path)?.unit ?? metricOf(path)?.metric.unit ?? "";

/** Milliseconds between two samples of a family on a host that samples every `interval_s`, unless it is told otherwise. */
export const periodOf = (family: string, interval_s: number): number =>
  Math.max(familyOf(family)?.period_s ?? 1, interval_s) * 1000;

/** `File system`; the name itself when it is unknown. */
export const familyWord = (name: string): string => familyOf(name)?.label ?? name;

/** `inodes used`, of the path `filesystem.inodes_percent`. */
export const metricWord = (path: string): string =>
  metricOf(path)?.metric.label ?? path.slice(path.indexOf(".") + 1).replaceAll("_", " ");

/** `CPU total`, `File system used`; the path itself when it is unknown. */
export function pathWords(path: string): string {
  const made = virtualOf(path)?.path.replaceAll(".", " ");
  if (made) return made.charAt(0).toUpperCase() + made.slice(1);
  const found = metricOf(path);
  return found ? `${found.family.label} ${found.metric.label}` : path;
}
