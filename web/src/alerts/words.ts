// Alerts, rules and metrics in words. Pure.
import { CATALOGUE } from "../api/catalogue.gen.ts";
import type { AlertTransition, Family, Metric, Rule } from "../api/types.gen.ts";
import { type Base, duration, limit } from "../format.ts";

export const HOST_DOWN = "host.down";

/** A metric of the catalogue by its path; undefined when this dashboard does not know it. */
export function metricOf(path: string): { family: Family; metric: Metric } | undefined {
  const [familyName, metricName] = path.split(".");
  const family = CATALOGUE.find((one) => one.name === familyName);
  const metric = family?.metrics.find((one) => one.name === metricName);
  return family && metric ? { family, metric } : undefined;
}

/** The unit of a rule's thresholds: seconds of silence for host.down. */
export const unitOf = (path: string): string => (path === HOST_DOWN ? "s" : (metricOf(path)?.metric.unit ?? ""));

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

export const familyWord = (name: string): string => FAMILY_WORDS[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
export const metricWord = (name: string): string => METRIC_WORDS[name] ?? name.replaceAll("_", " ");

/** `CPU total`, `File system used`; the path itself when it is unknown. */
export function pathWords(path: string): string {
  if (path === HOST_DOWN) return "Host down";
  const [family = "", metric = ""] = path.split(".");
  return metric ? `${familyWord(family)} ${metricWord(metric)}` : path;
}

const KIND_WORDS: Record<AlertTransition["kind"], string> = {
  fire: "fires",
  escalate: "worsens to critical",
  deescalate: "eases to warning",
  resolve: "resolved",
  gone: "ended: what it watched is gone",
};

export const kindWord = (kind: AlertTransition["kind"]): string => KIND_WORDS[kind] ?? kind;

export function transitionText(one: AlertTransition): string {
  const where = one.instance ? `${one.host} ${one.instance}` : one.host;
  return `${where}: ${one.rule_name} ${kindWord(one.kind)}${one.kind === "fire" ? `, ${one.severity}` : ""}`;
}

/** A rule as the sentence it means, to be read before it is saved. */
export function ruleSentence(rule: Rule, base: Base): string {
  const unit = unitOf(rule.metric);
  const where = `${rule.instance === "*" ? "" : `${rule.instance} of `}${rule.host === "*" ? "any host" : rule.host}`;
  const hold = rule.for_s > 0 ? ` for ${duration(rule.for_s)}` : "";
  const levels = [
    { name: "warning", at: rule.warning },
    { name: "critical", at: rule.critical },
  ].filter((level) => level.at !== null);
  if (levels.length === 0) return "Never fires: it has no threshold.";
  if (rule.metric === HOST_DOWN)
    return `When ${where} sends no sample for ${levels.map((level) => `${limit(level.at?.raise_at, unit, base)} (${level.name})`).join(" or ")}.`;
  const raises = levels.map((level) => `${rule.comparison} ${limit(level.at?.raise_at, unit, base)} (${level.name})`);
  const opposite = rule.comparison === "above" ? "at or below" : "at or above";
  const clears = levels.map((level) => limit(level.at?.clear_at, unit, base));
  const back = rule.recover_for_s > 0 ? ` for ${duration(rule.recover_for_s)}` : "";
  return `When ${pathWords(rule.metric)} on ${where} is ${raises.join(" or ")}${hold}. Over when it is ${opposite} ${clears.join(" / ")}${back}.`;
}

/** A rule's id from its name: lower case, dashes, at most 40 characters. */
export function slug(name: string): string {
  return name
    .toLowerCase()
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, "");
}
