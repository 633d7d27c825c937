// Incidents, silences, channels and routes in words, and the silence that fits an incident. Pure.
import type { Channel, Incident, Matcher, Reason, Route, StoredSilence } from "../api/types.gen.ts";
import { duration, moment } from "../format.ts";

/** What each part of "why was I (not) told?" is about, in the order in which it is decided. */
export const ABOUT_WORDS: Record<Reason["about"], string> = {
  rule: "Rule",
  selectors: "Whom it is about",
  silence: "Silences",
  route: "Routes",
  delivery: "Delivery",
  people: "People",
};

/** How long a silence lasts, in seconds. */
export const LASTING: readonly (readonly [number, string])[] = [
  [3600, "1 hour"],
  [4 * 3600, "4 hours"],
  [24 * 3600, "1 day"],
  [7 * 86_400, "1 week"],
];

const LEVELS = { warning: 1, critical: 2 } as const;

/** Whether somebody has seen it as it is now. */
export function seen(incident: Incident, now_s = Date.now() / 1000): boolean {
  const { acknowledged } = incident;
  if (!acknowledged || incident.state !== "open") return false;
  const graver = LEVELS[incident.severity] > acknowledged.level;
  return !graver && (acknowledged.until === null || now_s < acknowledged.until);
}

export function acknowledgedWords(incident: Incident, now_s = Date.now() / 1000): string {
  const { acknowledged } = incident;
  if (!acknowledged) return "";
  const until = acknowledged.until === null ? "" : `, until ${moment(acknowledged.until * 1000)}`;
  const note = acknowledged.note ? `: ${acknowledged.note}` : "";
  const lapsed = incident.state === "open" && !seen(incident, now_s) ? " That holds no longer." : "";
  return `${acknowledged.by} acknowledged it ${moment(acknowledged.at * 1000)}${until}${note}.${lapsed}`;
}

/** This rule, on this host, for this instance. */
export function silenceOf(incident: Incident): Partial<Matcher> {
  const where: Partial<Matcher> = incident.host ? { hosts: [incident.host] } : { about: "sonde" };
  const literal = incident.instance !== "" && !/[*?]/.test(incident.instance);
  return { ...where, rules: [incident.rule], ...(literal ? { instances: [incident.instance] } : {}) };
}

/** Which alerts a matcher means. */
export function matchWords(match: Matcher): string {
  const parts = [
    match.about === "sonde" ? "about Sonde itself" : match.about === "hosts" ? "about hosts" : "",
    match.rules.length > 0 ? `of ${match.rules.join(", ")}` : "",
    match.hosts.length > 0 ? `on ${match.hosts.join(", ")}` : "",
    match.tags.length > 0 ? `with ${match.tags.join(" and ")}` : "",
    match.without_tags.length > 0 ? `without ${match.without_tags.join(" or ")}` : "",
    match.instances.length > 0 ? `for ${match.instances.join(", ")}` : "",
    match.severity === "any" ? "" : `only ${match.severity}`,
  ].filter(Boolean);
  return parts.length > 0 ? `alerts ${parts.join(" ")}` : "all alerts";
}

export function silenceWords(silence: StoredSilence): string {
  const when = silence.state === "pending" ? `from ${moment(silence.starts * 1000)} ` : "";
  return `${when}until ${moment(silence.ends * 1000)}, by ${silence.by}`;
}

export const KINDS: Record<Channel["target"]["kind"], string> = {
  slack: "Slack, incoming webhook",
  "slack-bot": "Slack, bot",
  webhook: "Webhook",
  email: "E-mail",
  apprise: "Apprise",
};

/** What a route does, in a sentence. */
export function routeWords(route: Route): string {
  const told = route.channels.length > 0 ? route.channels.join(", ") : "nobody";
  const repeat = route.repeat_s > 0 ? `reminds every ${duration(route.repeat_s)}` : "never reminds";
  const more = [
    repeat,
    route.send_resolved ? "" : "says nothing of ends",
    route.hours ? `${route.hours.kind} hours` : "",
    route.escalation
      ? `${route.escalation.channels.join(", ")} after ${duration(route.escalation.after_s)} unacknowledged`
      : "",
    route.further ? "later routes are tried, too" : "",
  ].filter(Boolean);
  const words = matchWords(route.match);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} go to ${told}; ${more.join("; ")}.`;
}
