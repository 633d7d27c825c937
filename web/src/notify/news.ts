// Which alerts the browser is to tell of, and in which words. Pure.
import { unitOf } from "../api/catalogue.ts";
import type { ActiveAlert, Reason } from "../api/types.gen.ts";
import { type Base, limit, text } from "../format.ts";

export type Level = "off" | "critical" | "all";

export interface News {
  /** The same for all tabs, and another one when it gets worse. */
  key: string;
  alert: ActiveAlert;
}

/** What fires and is bad enough. */
export function newsOf(active: readonly ActiveAlert[], level: Level): News[] {
  if (level === "off") return [];
  return active
    .filter((alert) => alert.state === "firing" && (level === "all" || alert.severity === "critical"))
    .map((alert) => ({ key: `${alert.incident}:${alert.severity}`, alert }));
}

/** Whether a silence or a mute keeps people from hearing of it. */
export const isSilenced = (reasons: readonly Reason[]): boolean =>
  reasons.some((reason) => reason.about === "silence" && reason.stops);

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
    title: `${simulated ? "Demonstration: " : ""}${severity.charAt(0).toUpperCase()}${severity.slice(1)}: ${where}`,
    body: `${rule_name}${measured}`,
  };
}
