// A rule while it is being written: what the form's fields hold, and the rule they make. Pure.

import { HOST_DOWN, instanceOf, metricOf } from "../api/catalogue.ts";
import type { Also, FieldError, Rule, Threshold, Window } from "../api/types.gen.ts";
import { numberFault, numberOf } from "../typed.ts";
import { slug } from "./words.ts";

/** Texts as typed; an empty threshold is none. */
export interface Draft {
  id: string;
  name: string;
  metric: string;
  host: string;
  instance: string;
  comparison: "above" | "below";
  warning_raise: string;
  warning_clear: string;
  critical_raise: string;
  critical_clear: string;
  for_s: string;
  recover_for_s: string;
  enabled: boolean;
  runbook_url: string;
  /** Separated by commas or spaces, as the next. */
  tags: string;
  without_tags: string;
  window_function: Window["function"];
  window_seconds: string;
  /** Empty: there is no second condition. */
  also_metric: string;
  also_comparison: "above" | "below";
  also_value: string;
  no_data: Rule["no_data"];
  no_data_s: string;
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
  id: "",
  name: "",
  metric: "cpu.total",
  host: "*",
  instance: "*",
  comparison: "above",
  warning_raise: "",
  warning_clear: "",
  critical_raise: "90",
  critical_clear: "80",
  for_s: "120",
  recover_for_s: "60",
  enabled: true,
  runbook_url: "",
  tags: "",
  without_tags: "",
  window_function: "last",
  window_seconds: "",
  also_metric: "",
  also_comparison: "below",
  also_value: "",
  no_data: "keep",
  no_data_s: "300",
  kept: BLANK,
};

const number = (value: number | undefined): string => (value === undefined ? "" : String(value));

export function draftOf(rule: Rule): Draft {
  return {
    id: rule.id,
    name: rule.name,
    metric: rule.metric,
    host: rule.host,
    instance: rule.instance,
    comparison: rule.comparison,
    warning_raise: number(rule.warning?.raise_at),
    warning_clear: number(rule.warning?.clear_at),
    critical_raise: number(rule.critical?.raise_at),
    critical_clear: number(rule.critical?.clear_at),
    for_s: number(rule.for_s),
    recover_for_s: number(rule.recover_for_s),
    enabled: rule.enabled,
    runbook_url: rule.runbook_url,
    tags: rule.tags.join(", "),
    without_tags: rule.without_tags.join(", "),
    window_function: rule.window.function,
    window_seconds: rule.window.seconds ? number(rule.window.seconds) : "",
    also_metric: rule.also?.metric ?? "",
    also_comparison: rule.also?.comparison ?? "below",
    also_value: number(rule.also?.value),
    no_data: rule.no_data,
    no_data_s: number(rule.no_data_s),
    kept: rule,
  };
}

/** The rule that a draft describes. A missing clear value is the raise value: no hysteresis. */
export function ruleOf(draft: Draft): Rule {
  const down = draft.metric === HOST_DOWN;
  return {
    ...draft.kept,
    id: draft.id.trim() || slug(draft.name),
    name: draft.name.trim(),
    metric: draft.metric,
    host: draft.host.trim() || "*",
    instance: instanceOf(draft.metric) ? draft.instance.trim() || "*" : "*",
    comparison: down ? "above" : draft.comparison,
    warning: threshold(draft.warning_raise, down ? "" : draft.warning_clear),
    critical: threshold(draft.critical_raise, down ? "" : draft.critical_clear),
    for_s: numberOf(draft.for_s) || 0,
    recover_for_s: numberOf(draft.recover_for_s) || 0,
    enabled: draft.enabled,
    runbook_url: draft.runbook_url.trim(),
    tags: words(draft.tags),
    without_tags: words(draft.without_tags),
    window: windowOf(draft),
    also: alsoOf(draft),
    no_data: draft.no_data,
    no_data_s: numberOf(draft.no_data_s) || 0,
  };
}

const words = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter(Boolean))];

/** Only hosts sample, so only over what they sample there are windows. */
function windowOf(draft: Draft): Window {
  const { limit } = draft.kept.window;
  if (!metricOf(draft.metric) || draft.window_function === "last") return BLANK.window;
  return {
    function: draft.window_function,
    seconds: numberOf(draft.window_seconds) || 0,
    limit: draft.window_function === "time_left" ? limit : null,
  };
}

function alsoOf(draft: Draft): Also | null {
  if (draft.also_metric === "" || !metricOf(draft.metric)) return null;
  return { metric: draft.also_metric, comparison: draft.also_comparison, value: numberOf(draft.also_value) };
}

function threshold(raise: string, clear: string): Threshold | null {
  if (raise.trim() === "") return null;
  const raise_at = numberOf(raise);
  return { raise_at, clear_at: clear.trim() === "" ? raise_at : numberOf(clear) };
}

/** What is wrong, in words that name the remedy, by the field it is wrong in. */
export type Faults = Partial<Record<keyof Draft, string>>;

const ID = /^[a-z0-9-]{1,40}$/;
const PATTERN = /^[a-z0-9*?-]{1,40}$/;
const LONGEST_S = 7 * 86_400;

/** Everything wrong with a draft that can be known before the gateway is asked. */
export function faultsOf(draft: Draft): Faults {
  const down = draft.metric === HOST_DOWN;
  const faults: Faults = { ...thresholdFaults(draft) };
  if (draft.name.trim() === "") faults.name = "Give the rule a name.";
  if (!ID.test(ruleOf(draft).id) && (draft.id.trim() !== "" || !faults.name))
    faults.id = "Type 1 to 40 characters: small letters a to z, digits and dashes.";
  if (draft.host.trim() !== "" && !PATTERN.test(draft.host.trim()))
    faults.host = "Type the id of a host, such as web-1, or a pattern such as web-*; * is every host.";
  if (draft.window_function !== "last" && metricOf(draft.metric)) {
    const fault = draft.window_seconds.trim() === "" ? "Type how many seconds." : durationFault(draft.window_seconds);
    if (fault) faults.window_seconds = fault;
  }
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

function durationFault(text: string): string | null {
  if (text.trim() === "") return null;
  const fault = numberFault(text);
  if (fault) return fault;
  if (numberOf(text) < 0) return "Type 0 or more seconds.";
  return numberOf(text) > LONGEST_S ? `Type at most ${LONGEST_S} seconds, which is 7 days.` : null;
}

function thresholdFaults(draft: Draft): Faults {
  const down = draft.metric === HOST_DOWN;
  const above = down || draft.comparison === "above";
  const beyond = (one: string, other: string) =>
    above ? numberOf(one) > numberOf(other) : numberOf(one) < numberOf(other);
  const [side, beyondIt] = above ? ["or less", "not above"] : ["or more", "not below"];
  const faults: Faults = {};
  for (const level of ["warning", "critical"] as const) {
    const raise = draft[`${level}_raise`];
    const clear = down ? "" : draft[`${level}_clear`];
    const set = raise.trim() !== "";
    const clearFault = clear.trim() === "" ? null : numberFault(clear);
    if (set && numberFault(raise)) faults[`${level}_raise`] = numberFault(raise) as string;
    else if (set && down && numberOf(raise) <= 0) faults[`${level}_raise`] = "Type more than 0 seconds.";
    if (clearFault) faults[`${level}_clear`] = clearFault;
    else if (!set && clear.trim() !== "")
      faults[`${level}_raise`] = "Type the value to raise the alert at, or empty “Clear at” too.";
    else if (beyond(clear, raise))
      faults[`${level}_clear`] = `Type ${numberOf(raise)} ${side}, ${beyondIt} “Raise at”.`;
  }
  const neither = [draft.warning_raise, draft.critical_raise].every((text) => text.trim() === "");
  if (neither) faults.critical_raise ??= "Set a warning threshold, a critical threshold, or both.";
  if (beyond(draft.warning_raise, draft.critical_raise))
    faults.warning_raise ??= `Type ${numberOf(draft.critical_raise)} ${side}, ${beyondIt} the critical one.`;
  return faults;
}

/** Errors by the form's field: the API speaks of `warning.raise_at`, and of `warning` where it means both its fields. */
export function errorsByField(errors: readonly FieldError[]): Record<string, string> {
  const names: Record<string, keyof Draft> = {
    "warning.raise_at": "warning_raise",
    "warning.clear_at": "warning_clear",
    warning: "warning_raise",
    "critical.raise_at": "critical_raise",
    "critical.clear_at": "critical_clear",
    critical: "critical_raise",
    "window.function": "window_function",
    "window.seconds": "window_seconds",
    "window.limit": "window_function",
    also: "also_metric",
    "also.metric": "also_metric",
    "also.value": "also_value",
  };
  const named = (field: string) => names[field] ?? field.replace(/\[.*$/, "");
  return Object.fromEntries(errors.map((error) => [named(error.field), inFormWords(error.reason)]));
}

/** The API's names of fields as the form calls them. */
const inFormWords = (reason: string): string =>
  reason.replace("critical.raise_at", "the critical “Raise at”").replaceAll("raise_at", "“Raise at”");
