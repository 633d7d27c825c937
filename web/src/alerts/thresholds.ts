// Which thresholds apply to a value, so that numbers and bars are coloured by the very rules that raise alerts.
import type { Rule } from "../api/types.gen.ts";

export interface Thresholds {
  warning: number | null;
  critical: number | null;
  comparison: "above" | "below";
}

export type Level = "normal" | "warning" | "critical";

/** By all rules: what they are for the hosts that they tell apart from others, which share one array. */
const told = new WeakMap<readonly Rule[], Map<string, readonly Rule[]>>();

/**
 * The rules that are about `host` with these tags, each as it is for that host: of its exceptions the first that fits counts,
 * as the alert service has it. The same array for all hosts that no rule tells apart.
 */
export function ofHost(rules: readonly Rule[], host: string, tags: readonly string[]): readonly Rule[] {
  if (rules.every(isForAll)) return rules;
  const exceptions = rules.map((rule) => (isAbout(rule, host, tags) ? exceptionOf(rule, host, tags) : null));
  const key = exceptions.join();
  const known = told.get(rules) ?? new Map<string, readonly Rule[]>();
  told.set(rules, known);
  const found = known.get(key) ?? rules.flatMap((rule, at) => withException(rule, exceptions[at] ?? null));
  known.set(key, found);
  return found;
}

/** The rule as it is with its exception `at`; none where that is null. */
function withException(rule: Rule, at: number | null): readonly Rule[] {
  if (at === null) return [];
  const exception = rule.overrides[at];
  if (!exception) return [rule];
  const { warning, critical, enabled } = exception;
  return [
    {
      ...rule,
      warning: warning ?? rule.warning,
      critical: critical ?? rule.critical,
      enabled: enabled ?? rule.enabled,
    },
  ];
}

const isAbout = (rule: Rule, host: string, tags: readonly string[]): boolean =>
  fits(rule.host, host) &&
  rule.tags.every((tag) => tags.includes(tag)) &&
  !rule.without_tags.some((tag) => tags.includes(tag));

/** Which of the rule's exceptions counts for `host` with these tags, from 0; -1: none. */
export const exceptionOf = (rule: Rule, host: string, tags: readonly string[]): number =>
  rule.overrides.findIndex(
    ({ hosts, tags: wanted }) =>
      (hosts.length === 0 || hosts.some((pattern) => fits(pattern, host))) && wanted.every((tag) => tags.includes(tag)),
  );

const isForAll = (rule: Rule): boolean =>
  rule.host === "*" && rule.tags.length + rule.without_tags.length + rule.overrides.length === 0;

/** The thresholds of the enabled rules on `metric` of `host` and `instance`: the most specific rule wins. Null: no rule. */
export function thresholdsFor(
  rules: readonly Rule[],
  host: string,
  metric: string,
  instance: string,
): Thresholds | null {
  let best: Rule | null = null;
  let score = -1;
  for (const rule of rules) {
    // What looks at more than the newest value, or at another metric too, says nothing of how a value is coloured.
    if (!rule.enabled || rule.metric !== metric || rule.window.function !== "last" || rule.also) continue;
    if (!fits(rule.host, host) || !fits(rule.instance, instance)) continue;
    if (rule.not_instances.some((pattern) => fits(pattern, instance))) continue;
    const tagged = rule.tags.length + rule.without_tags.length > 0;
    const specific = (rule.host === "*" ? 0 : 4) + (tagged ? 2 : 0) + (rule.instance === "*" ? 0 : 1);
    if (specific > score) {
      best = rule;
      score = specific;
    }
  }
  if (!best) return null;
  return {
    warning: best.warning?.raise_at ?? null,
    critical: best.critical?.raise_at ?? null,
    comparison: best.comparison,
  };
}

/** Whether `text` fits `pattern`, in which * stands for any characters and ? for one. */
export function fits(pattern: string, text: string): boolean {
  if (pattern === "*" || pattern === text) return true;
  if (!/[*?]/.test(pattern)) return false;
  let [at, now, star, back] = [0, 0, -1, 0];
  while (now < text.length) {
    if (pattern[at] === "*") {
      star = at;
      back = now;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === text[now])) {
      at += 1;
      now += 1;
    } else if (star >= 0) {
      back += 1;
      at = star + 1;
      now = back;
    } else return false;
  }
  return [...pattern.slice(at)].every((one) => one === "*");
}

/** Where `value` stands. Unknown values and values without a rule are normal. */
export function levelOf(thresholds: Thresholds | null, value: number | null | undefined): Level {
  if (!thresholds || value === null || value === undefined) return "normal";
  const reached = (limit: number | null) =>
    limit !== null && (thresholds.comparison === "above" ? value > limit : value < limit);
  if (reached(thresholds.critical)) return "critical";
  return reached(thresholds.warning) ? "warning" : "normal";
}
