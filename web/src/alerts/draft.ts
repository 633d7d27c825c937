// A rule while it is being written: what the form's fields hold, and the rule they make. Pure.

import { HOST_DOWN } from "../api/catalogue.ts";
import type { FieldError, Rule, Threshold } from "../api/types.gen.ts";
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
}

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
  };
}

/** The rule that a draft describes. A missing clear value is the raise value: no hysteresis. */
export function ruleOf(draft: Draft): Rule {
  const down = draft.metric === HOST_DOWN;
  return {
    id: draft.id.trim() || slug(draft.name),
    name: draft.name.trim(),
    metric: draft.metric,
    host: draft.host.trim() || "*",
    instance: down ? "*" : draft.instance.trim() || "*",
    comparison: down ? "above" : draft.comparison,
    warning: threshold(draft.warning_raise, down ? "" : draft.warning_clear),
    critical: threshold(draft.critical_raise, down ? "" : draft.critical_clear),
    for_s: Number(draft.for_s) || 0,
    recover_for_s: Number(draft.recover_for_s) || 0,
    enabled: draft.enabled,
    runbook_url: draft.runbook_url.trim(),
  };
}

function threshold(raise: string, clear: string): Threshold | null {
  if (raise.trim() === "") return null;
  const raise_at = Number(raise);
  return { raise_at, clear_at: clear.trim() === "" ? raise_at : Number(clear) };
}

/** Errors by the form's field: the API speaks of `warning.raise_at`, and of `warning` where it means both its fields. */
export function errorsByField(errors: readonly FieldError[]): Record<string, string> {
  const names: Record<string, string> = {
    "warning.raise_at": "warning_raise",
    "warning.clear_at": "warning_clear",
    warning: "warning_raise",
    "critical.raise_at": "critical_raise",
    "critical.clear_at": "critical_clear",
    critical: "critical_raise",
  };
  return Object.fromEntries(errors.map((error) => [names[error.field] ?? error.field, error.reason]));
}
