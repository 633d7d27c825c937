// Incidents, silences, channels and routes in words. Pure.
import type {
  Channel,
  Escalation,
  Hours,
  Incident,
  Matcher,
  Reason,
  Route,
  Span,
  StoredSilence,
} from "../api/types.gen.ts";
import { duration, moment } from "../format.ts";

export type Day = Span["days"][number];

/** What each part of "why was I (not) told?" is about, in the order in which it is decided. */
export const ABOUT_WORDS: Record<Reason["about"], string> = {
  rule: "Rule",
  selectors: "Whom it is about",
  silence: "Silences",
  route: "Routes",
  delivery: "Delivery",
  people: "People",
};

const LEVELS = { warning: 1, critical: 2 } as const;

/** Whether somebody has seen it as it is now. */
export function seen(incident: Incident, now_s: number): boolean {
  const { acknowledged } = incident;
  if (!acknowledged || incident.state !== "open") return false;
  const graver = LEVELS[incident.severity] > acknowledged.level;
  return !graver && (acknowledged.until === null || now_s < acknowledged.until);
}

export function acknowledgedWords(incident: Incident, now_s: number): string {
  const { acknowledged } = incident;
  if (!acknowledged) return "";
  const until = acknowledged.until === null ? "" : `, until ${moment(acknowledged.until * 1000)}`;
  const note = acknowledged.note ? `: ${acknowledged.note}` : "";
  const lapsed = incident.state === "open" && !seen(incident, now_s) ? " That holds no longer." : "";
  return `${acknowledged.by} acknowledged it ${moment(acknowledged.at * 1000)}${until}${note}.${lapsed}`;
}

/** Times in what the gateway tells, which are of UTC, by the page's clocks as all others. */
export const byOurClocks = (text: string): string =>
  text.replaceAll(/\b(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d)?) UTC\b/g, (_, day: string, time: string) =>
    moment(Date.parse(`${day}T${time}Z`)),
  );

/** Which alerts a matcher means. */
export function matchWords(match: Matcher): string {
  const parts = [
    match.about === "sonde" ? "about Sonde itself" : match.about === "hosts" ? "about hosts" : "",
    match.rules.length > 0 ? `of ${match.rules.join(", ")}` : "",
    match.hosts.length > 0 ? `on ${match.hosts.join(", ")}` : "",
    match.tags.length > 0 ? `with ${match.tags.join(" and ")}` : "",
    match.without_tags.length > 0 ? `without ${match.without_tags.join(" or ")}` : "",
    match.instances.length > 0 ? `for ${match.instances.join(", ")}` : "",
  ].filter(Boolean);
  const alerts = match.severity === "any" ? "alerts" : `${match.severity} alerts`;
  return parts.length > 0 ? `${alerts} ${parts.join(" ")}` : `all ${alerts}`;
}

/** How a silence stands at `now_s`: it begins and ends by itself, of which nobody tells. Null: it is over. */
export function silenceState({ starts, ends }: StoredSilence, now_s: number): "pending" | "active" | null {
  if (ends <= now_s) return null;
  return starts > now_s ? "pending" : "active";
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

export const DAY_WORDS: Record<Day, string> = {
  mon: "Mon",
  tue: "Tue",
  wed: "Wed",
  thu: "Thu",
  fri: "Fri",
  sat: "Sat",
  sun: "Sun",
};
const DAYS = Object.keys(DAY_WORDS) as Day[];

/** Days of the week, three in a row or more as one stretch: `Mon to Fri, Sun`. */
export function dayWords(days: readonly Day[]): string {
  const stretches: Day[][] = [];
  for (const day of DAYS.filter((one) => days.includes(one))) {
    const last = stretches.at(-1);
    if (last && DAYS.indexOf(last.at(-1) as Day) === DAYS.indexOf(day) - 1) last.push(day);
    else stretches.push([day]);
  }
  if (stretches[0]?.length === DAYS.length) return "every day";
  return stretches
    .flatMap((one) =>
      one.length > 2
        ? [`${DAY_WORDS[one[0] as Day]} to ${DAY_WORDS[one.at(-1) as Day]}`]
        : one.map((day) => DAY_WORDS[day]),
    )
    .join(", ");
}

function hoursWords(hours: Hours): string {
  const spans = hours.spans.map(({ days, start, until }) => `${dayWords(days)} ${start} to ${until}`).join(" and ");
  const told = hours.kind === "working" ? "tells only" : "waits";
  return `${told} ${spans} (${hours.zone})${hours.critical_passes ? ", what is critical always" : ""}`;
}

function escalationWords({ after_s, channels, critical_only }: Escalation): string {
  const what = critical_only ? "of what is critical " : "";
  return `also tells ${channels.join(", ")} ${what}after ${duration(after_s)} unacknowledged`;
}

/** What a route does, in a sentence. */
export function routeWords(route: Route): string {
  const told = route.channels.length > 0 ? route.channels.join(", ") : "nobody";
  const repeat = route.repeat_s > 0 ? `reminds every ${duration(route.repeat_s)}` : "never reminds";
  const more = [
    repeat,
    route.send_resolved ? "" : "does not notify when it resolves",
    route.hours ? hoursWords(route.hours) : "",
    route.escalation ? escalationWords(route.escalation) : "",
    route.further ? "later routes are tried, too" : "",
  ].filter(Boolean);
  const words = matchWords(route.match);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} go to ${told}; ${more.join("; ")}.`;
}
