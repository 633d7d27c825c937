// Which alerts the browser is to tell of, and in which words. Pure.
import { unitOf } from "../api/catalogue.ts";
import type { ActiveAlert, Reason } from "../api/types.gen.ts";
import { type Base, fixed, limit, text } from "../format.ts";

export type Level = "off" | "critical" | "all";

export interface News {
  /** The same for all tabs, and another one when it gets worse. */
  key: string;
  alert: ActiveAlert;
}

/** What fires, whatever of it is wanted: what began while nobody wanted to hear of it is no news later. */
export const newsOf = (active: readonly ActiveAlert[]): News[] =>
  active
    .filter((alert) => alert.state === "firing")
    .map((alert) => ({ key: `${alert.incident}:${alert.severity}`, alert }));

/** Whether an alert is bad enough to be told. */
export const isWanted = ({ severity }: ActiveAlert, level: Level): boolean =>
  level === "all" || (level === "critical" && severity === "critical");

/** Whether a silence or a mute keeps people from hearing of it. */
export const isSilenced = (reasons: readonly Reason[]): boolean =>
  reasons.some((reason) => reason.about === "silence" && reason.stops);

/** More at a time are told as one. */
export const MOST_AT_ONCE = 5;

/** The tag of the notification that stands for many, and where it leads. */
export const MANY = "alerts";
export const MANY_HREF = "/alerts";

export interface Counted {
  count: number;
  critical: number;
}

/** How many alerts one notification stands for: the new ones, with those of the one before that nobody has taken away. */
export function counted(alerts: readonly ActiveAlert[], before: Counted | undefined): Counted {
  const critical = alerts.filter(({ severity }) => severity === "critical").length;
  return { count: (before?.count ?? 0) + alerts.length, critical: (before?.critical ?? 0) + critical };
}

const mark = (simulated: boolean): string => (simulated ? "Demonstration: " : "");

/** `37 new alerts`, `30 of them are critical`. */
export function manyWords({ count, critical }: Counted, simulated = false): { title: string; body: string } {
  const all = critical === count ? "All of them are critical." : `${fixed(critical, 0)} of them are critical.`;
  return {
    title: `${mark(simulated)}${fixed(count, 0)} new alerts`,
    body: critical === 0 ? "None of them is critical." : all,
  };
}

/** Whether the notification of tag `tag` is over, now that the alerts of `tags` are what there is. */
export const isOver = (tag: string, tags: ReadonlySet<string>): boolean =>
  tag === MANY ? tags.size === 0 : tag.startsWith("incident-") && !tags.has(tag);

/** Under one tag the browser shows one notification: the newest of an incident replaces those before. */
export const tagOf = ({ incident }: ActiveAlert): string => `incident-${incident}`;

export const hrefOf = ({ incident }: ActiveAlert): string => `/alerts?incident=${incident}`;

/** `Critical: web-1 /data`, and below it the rule with value and limit; first of all that it is not real, if so. */
export function wordsOf(alert: ActiveAlert, base: Base, simulated = false): { title: string; body: string } {
  const { severity, host, instance, rule_name, value, threshold, metric } = alert;
  const where = [host || "Sonde", instance].filter(Boolean).join(" ");
  const unit = alert.unit || unitOf(metric);
  const measured = value === null ? "" : `: ${text(value, unit, base)}, limit ${limit(threshold, unit, base)}`;
  return {
    title: `${mark(simulated)}${severity.charAt(0).toUpperCase()}${severity.slice(1)}: ${where}`,
    body: `${rule_name}${measured}`,
  };
}
