// The catalogue looked up by path, and its words. Pure.
import { CATALOGUE, OVERVIEW } from "./catalogue.gen.ts";
import type { Family, Metric } from "./types.gen.ts";

export { CATALOGUE, OVERVIEW };

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

/** The unit of a metric, or of a rule's thresholds: seconds of silence for host.down. */
export const unitOf = (path: string): string => (path === HOST_DOWN ? "s" : (metricOf(path)?.metric.unit ?? ""));

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
  if (path === HOST_DOWN) return "Host down";
  const found = metricOf(path);
  return found ? `${found.family.label} ${found.metric.label}` : path;
}
