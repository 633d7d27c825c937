// Rules in words. Pure.
import { HOST_DOWN, pathWords, unitOf, virtualOf } from "../api/catalogue.ts";
import type { Rule, Window } from "../api/types.gen.ts";
import { type Base, duration, limit } from "../format.ts";

/** What of the last values is looked at, as a choice. */
export const WINDOW_WORDS: Record<Window["function"], string> = {
  last: "the newest value",
  avg: "the average",
  min: "the least value",
  max: "the greatest value",
  p95: "the 95th percentile",
  rate: "the change per second",
  increase: "the increase",
  time_left: "the time until it is full",
};

/** Functions whose values are of the metric's own unit and size, so that a threshold is a line among its values. */
const DRAWN = new Set<Window["function"]>(["last", "avg", "min", "max", "p95"]);

export const isDrawn = (name: Window["function"]): boolean => DRAWN.has(name);

/** The unit of what is held against the thresholds, for a metric of `unit`. */
export function windowUnit(name: Window["function"], unit: string): string {
  if (name === "time_left") return "s";
  return name === "rate" ? `${unit === "1/s" ? "" : unit}/s` : unit;
}

function measured(rule: Rule): string {
  const { function: name, seconds } = rule.window;
  const metric = pathWords(rule.metric);
  if (name === "last") return metric;
  const over = duration(seconds);
  if (name === "time_left") return `the time until ${metric} is full, as it went in ${over},`;
  return `${WINDOW_WORDS[name]} of ${metric} over ${over}`;
}

function whereOf(rule: Rule): string {
  const instance = rule.instance === "*" ? "" : `${rule.instance} of `;
  const host = rule.host === "*" ? "any host" : /[*?]/.test(rule.host) ? `hosts ${rule.host}` : rule.host;
  const tags = rule.tags.length > 0 ? ` with ${rule.tags.join(" and ")}` : "";
  const without = rule.without_tags.length > 0 ? ` without ${rule.without_tags.join(" or ")}` : "";
  return `${instance}${host}${tags}${without}`;
}

/** A rule as the sentence it means, to be read before it is saved. */
export function ruleSentence(rule: Rule, base: Base): string {
  const unit = windowUnit(rule.window.function, unitOf(rule.metric));
  const where = virtualOf(rule.metric)?.about === "sonde" ? "" : ` on ${whereOf(rule)}`;
  const hold = rule.for_s > 0 ? ` for ${duration(rule.for_s)}` : "";
  const levels = [
    { name: "warning", at: rule.warning },
    { name: "critical", at: rule.critical },
  ].filter((level) => level.at !== null);
  if (levels.length === 0) return "Never fires: it has no threshold.";
  if (rule.metric === HOST_DOWN)
    return `When ${whereOf(rule)} sends no sample for ${levels.map((level) => `${limit(level.at?.raise_at, unit, base)} (${level.name})`).join(" or ")}.`;
  const raises = levels.map((level) => `${rule.comparison} ${limit(level.at?.raise_at, unit, base)} (${level.name})`);
  const opposite = rule.comparison === "above" ? "at or below" : "at or above";
  const clears = levels.map((level) => limit(level.at?.clear_at, unit, base));
  const back = rule.recover_for_s > 0 ? ` for ${duration(rule.recover_for_s)}` : "";
  const also = rule.also
    ? `, while ${pathWords(rule.also.metric)} is ${rule.also.comparison} ${limit(rule.also.value, unitOf(rule.also.metric), base)}`
    : "";
  const silent = { keep: "", alert: "fires", ok: "is over" }[rule.no_data];
  const gap = silent ? ` Without values for ${duration(rule.no_data_s)} it ${silent}.` : "";
  return `When ${measured(rule)}${where} is ${raises.join(" or ")}${also}${hold}. Over when it is ${opposite} ${clears.join(" / ")}${back}.${gap}`;
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
