// A rule while it is being written: what the form's fields hold, and the rule they make. Pure.

import { HOST_DOWN, instanceOf, metricOf, pathWords, virtualOf } from "../api/catalogue.ts";
import type { Also, FieldError, Rule, Window } from "../api/types.gen.ts";
import { refusalWords } from "../shell/refusal.ts";
import { numberFault, numberOf } from "../typed.ts";
import { durationFault, type LevelDraft, levelFaults, levelsOf, number, thresholdOf } from "./limits.ts";
import { PATTERN, words } from "./matching.ts";
import { type OverrideDraft, overrideDraftOf, overrideFaults, overrideOf } from "./override_draft.ts";
import { slug } from "./words.ts";

/** Texts as typed; an empty threshold is none. */
export interface Draft extends LevelDraft {
  id: string;
  name: string;
  metric: string;
  host: string;
  instance: string;
  /** Separated by commas; patterns of instances that it is not about. */
  not_instances: string;
  comparison: "above" | "below";
  for_s: string;
  recover_for_s: string;
  enabled: boolean;
  runbook_url: string;
  /** Separated by commas or spaces, as the next. */
  tags: string;
  without_tags: string;
  window_function: Window["function"];
  window_seconds: string;
  /** Of `time_left`; empty: the most that there can be. */
  window_limit: string;
  /** Empty: there is no second condition. */
  also_metric: string;
  also_comparison: "above" | "below";
  also_value: string;
  no_data: Rule["no_data"];
  no_data_s: string;
  overrides: readonly OverrideDraft[];
  /** The rule that it began as, with all that the form does not show. */
  kept: Rule;
}

const BLANK: Rule = {
  id: "",
  name: "",
  metric: "cpu.total",
  host: "*",
  instance: "*",
  comparison: "above",
  warning: null,
  critical: null,
  for_s: 0,
  recover_for_s: 0,
  enabled: true,
  runbook_url: "",
  tags: [],
  without_tags: [],
  not_instances: [],
  window: { function: "last", seconds: 0, limit: null },
  also: null,
  no_data: "keep",
  no_data_s: 300,
  overrides: [],
  owner: "",
};

export const FRESH: Draft = {
  ...draftOf(BLANK),
  critical_raise: "90",
  critical_clear: "80",
  for_s: "120",
  recover_for_s: "60",
};

export function draftOf(rule: Rule): Draft {
  return {
    id: rule.id,
    name: rule.name,
    metric: rule.metric,
    host: rule.host,
    instance: rule.instance,
    not_instances: rule.not_instances.join(", "),
    comparison: rule.comparison,
    ...levelsOf(rule.warning, rule.critical),
    for_s: number(rule.for_s),
    recover_for_s: number(rule.recover_for_s),
    enabled: rule.enabled,
    runbook_url: rule.runbook_url,
    tags: rule.tags.join(", "),
    without_tags: rule.without_tags.join(", "),
    window_function: rule.window.function,
    window_seconds: rule.window.seconds ? number(rule.window.seconds) : "",
    window_limit: number(rule.window.limit),
    also_metric: rule.also?.metric ?? "",
    also_comparison: rule.also?.comparison ?? "below",
    also_value: number(rule.also?.value),
    no_data: rule.no_data,
    no_data_s: number(rule.no_data_s),
    overrides: rule.overrides.map(overrideDraftOf),
    kept: rule,
  };
}

/** The id of a new rule: as typed, otherwise made from its name, and another one than those in `taken`. */
export function idOf({ id, name }: Pick<Draft, "id" | "name">, taken: readonly string[]): string {
  if (id.trim() !== "") return id.trim();
  const made = slug(name);
  for (let count = 1; ; count += 1) {
    const ending = count === 1 ? "" : `-${count}`;
    const next = `${made.slice(0, LONGEST_ID - ending.length)}${ending}`;
    if (made === "" || !taken.includes(next)) return made && next;
  }
}

/** The rule that a draft describes. A missing clear value is the raise value: no hysteresis. */
export function ruleOf(draft: Draft): Rule {
  const down = draft.metric === HOST_DOWN;
  const ofHosts = virtualOf(draft.metric)?.about !== "sonde";
  return {
    ...draft.kept,
    id: draft.id.trim() || slug(draft.name),
    name: draft.name.trim(),
    metric: draft.metric,
    host: (ofHosts && draft.host.trim()) || "*",
    instance: instanceOf(draft.metric) ? draft.instance.trim() || "*" : "*",
    not_instances: instanceOf(draft.metric) ? listed(draft.not_instances) : [],
    comparison: down ? "above" : draft.comparison,
    warning: thresholdOf(draft.warning_raise, down ? "" : draft.warning_clear),
    critical: thresholdOf(draft.critical_raise, down ? "" : draft.critical_clear),
    for_s: numberOf(draft.for_s) || 0,
    recover_for_s: numberOf(draft.recover_for_s) || 0,
    enabled: draft.enabled,
    runbook_url: draft.runbook_url.trim(),
    tags: ofHosts ? words(draft.tags) : [],
    without_tags: ofHosts ? words(draft.without_tags) : [],
    window: windowOf(draft),
    also: alsoOf(draft),
    no_data: draft.no_data,
    no_data_s: numberOf(draft.no_data_s) || 0,
    overrides: ofHosts ? draft.overrides.map((one) => overrideOf(one, down)) : [],
  };
}

/** Instances may have spaces in them: only commas part them. */
const listed = (text: string): string[] => [...new Set(text.split(",").map((one) => one.trim()))].filter(Boolean);

/** Only hosts sample, so only over what they sample there are windows. */
function windowOf(draft: Draft): Window {
  if (!metricOf(draft.metric) || draft.window_function === "last") return BLANK.window;
  const full = draft.window_function === "time_left" && draft.window_limit.trim() !== "";
  return {
    function: draft.window_function,
    seconds: numberOf(draft.window_seconds) || 0,
    limit: full ? numberOf(draft.window_limit) : null,
  };
}

function alsoOf(draft: Draft): Also | null {
  if (draft.also_metric === "" || !metricOf(draft.metric)) return null;
  return { metric: draft.also_metric, comparison: draft.also_comparison, value: numberOf(draft.also_value) };
}

/** What is wrong, in words that name the remedy, by the field it is wrong in. */
export type Faults = Partial<Record<keyof Draft | `overrides.${number}.${keyof OverrideDraft}`, string>>;

const LONGEST_ID = 40;
const ID = /^[a-z0-9-]{1,40}$/;

/** Everything wrong with a draft that can be known before the gateway is asked. */
export function faultsOf(draft: Draft): Faults {
  const down = draft.metric === HOST_DOWN;
  const faults: Faults = { ...levelFaults(draft, draft.comparison, down) };
  if ([draft.warning_raise, draft.critical_raise].every((text) => text.trim() === ""))
    faults.critical_raise ??= "Set a warning threshold, a critical threshold, or both.";
  if (draft.name.trim() === "") faults.name = "Give the rule a name.";
  if (!ID.test(ruleOf(draft).id) && (draft.id.trim() !== "" || !faults.name))
    faults.id = "Type 1 to 40 characters: small letters a to z, digits and dashes.";
  if (draft.host.trim() !== "" && !PATTERN.test(draft.host.trim()))
    faults.host = "Type the id of a host, such as web-1, or a pattern such as web-*; * is every host.";
  if (draft.window_function !== "last" && metricOf(draft.metric)) {
    const fault = draft.window_seconds.trim() === "" ? "Type how many seconds." : durationFault(draft.window_seconds);
    if (fault) faults.window_seconds = fault;
    const full = draft.window_limit.trim() === "" ? null : numberFault(draft.window_limit);
    if (full && draft.window_function === "time_left") faults.window_limit = full;
  }
  const exceptions = virtualOf(draft.metric)?.about === "sonde" ? [] : draft.overrides;
  exceptions.forEach((one, index) => {
    const own = overrideFaults(one, draft.comparison, down);
    for (const [name, fault] of Object.entries(own))
      faults[`overrides.${index}.${name as keyof OverrideDraft}`] = fault;
  });
  if (draft.also_metric !== "") {
    const fault = draft.also_value.trim() === "" ? "Type a value." : numberFault(draft.also_value);
    if (fault) faults.also_value = fault;
  }
  if (!down) {
    for (const name of ["for_s", "recover_for_s", "no_data_s"] as const) {
      const fault = durationFault(draft[name]);
      if (fault) faults[name] = fault;
    }
  }
  if (draft.runbook_url.trim() !== "" && !/^https?:\/\/\S+$/.test(draft.runbook_url.trim()))
    faults.runbook_url = "Type an address that starts with https:// or http://, or leave this empty.";
  return faults;
}

/** The API's names of fields where they are not the form's. */
const NAMES: Record<string, string> = {
  "warning.raise_at": "warning_raise",
  "warning.clear_at": "warning_clear",
  warning: "warning_raise",
  "critical.raise_at": "critical_raise",
  "critical.clear_at": "critical_clear",
  critical: "critical_raise",
  "window.function": "window_function",
  "window.seconds": "window_seconds",
  "window.limit": "window_limit",
  also: "also_metric",
  "also.metric": "also_metric",
  "also.value": "also_value",
};

/** Errors by the form's field: the API speaks of `warning.raise_at`, and of `warning` where it means both its fields. */
export function errorsByField(errors: readonly FieldError[]): Record<string, string> {
  return Object.fromEntries(errors.map((error) => [named(error.field), inFormWords(error.reason)]));
}

function named(field: string): string {
  const [, at, rest] = /^overrides\[(\d+)\]\.?(.*)$/.exec(field) ?? [];
  if (at !== undefined) return `overrides.${at}.${rest ? named(rest) : "hosts"}`;
  return NAMES[field] ?? field.replace(/\[.*$/, "");
}

/** The API's names of fields as the form calls them. */
const inFormWords = (reason: string): string =>
  refusalWords(reason)
    .replace("critical.raise_at", "the critical “Raise at”")
    .replaceAll("raise_at", "“Raise at”")
    .replaceAll(/\b[a-z]+\.[a-z0-9_]+\b/g, (path) => (metricOf(path) || virtualOf(path) ? pathWords(path) : path))
    .replaceAll(/overrides\[(\d+)\]/g, (_, at: string) => `exception ${Number(at) + 1}`);
