// The catalogue looked up by path, and its words. Pure.
import { CATALOGUE } from "./catalogue.gen.ts";
import type { Family, Metric } from "./types.gen.ts";

export { CATALOGUE };

/** The metric of rules that watch for silence; it is in no family. */
export const HOST_DOWN = "host.down";

const FAMILY_WORDS: Record<string, string> = { cpu: "CPU", gpu: "GPU", filesystem: "File system" };
const METRIC_WORDS: Record<string, string> = {
  used_percent: "used",
  inodes_percent: "inodes used",
  memory_percent: "memory used",
  swap_percent: "swap used",
  load1: "load 1 min",
  load5: "load 5 min",
  load15: "load 15 min",
  rss: "resident memory",
};

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

/** Milliseconds between two samples of a family, unless its host is told otherwise. */
export const periodOf = (family: string): number => (familyOf(family)?.period_s ?? 1) * 1000;

export const familyWord = (name: string): string => FAMILY_WORDS[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
export const metricWord = (path: string): string => {
  const name = path.slice(path.indexOf(".") + 1);
  return METRIC_WORDS[name] ?? name.replaceAll("_", " ");
};

/** `CPU total`, `File system used`; the path itself when it is unknown. */
export function pathWords(path: string): string {
  if (path === HOST_DOWN) return "Host down";
  const [family = "", metric = ""] = path.split(".");
  return metric ? `${familyWord(family)} ${metricWord(path)}` : path;
}
