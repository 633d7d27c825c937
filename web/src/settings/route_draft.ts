// A route while it is being written: texts as typed, and the route that they make. Pure.
import { ALL, type MatchDraft, matchDraftOf, matcherOf, matchFaults } from "../alerts/matching.ts";
import type { Hours, Route, Span } from "../api/types.gen.ts";
import { fixed } from "../format.ts";
import { isZone } from "../time/zones.ts";
import { numberFault, numberOf } from "../typed.ts";

export interface Draft extends MatchDraft {
  id: string;
  name: string;
  channels: readonly string[];
  repeat_h: string;
  group_by: Route["group_by"];
  group_wait_s: string;
  group_interval_s: string;
  storm_hosts: string;
  tell_past: boolean;
  send_resolved: boolean;
  further: boolean;
  enabled: boolean;
  /** When people are told: always, or by hours of the week. */
  hours: "always" | Hours["kind"];
  spans: readonly Span[];
  zone: string;
  critical_passes: boolean;
  escalates: boolean;
  escalation_min: string;
  escalation_channels: readonly string[];
  escalation_critical_only: boolean;
  /** The route that it began as, with all that the form does not show. */
  kept: Route;
}

/** Stretches of the week that a route may have. */
export const MOST_SPANS = 20;

const BLANK: Route = {
  id: "",
  name: "",
  channels: [],
  position: 100,
  match: ALL,
  further: false,
  group_by: "host",
  group_wait_s: 0.3,
  group_interval_s: 60,
  repeat_s: 4 * 3600,
  send_resolved: true,
  storm_hosts: 10,
  tell_past: true,
  hours: null,
  escalation: null,
  enabled: true,
  owner: "",
};

/** Nights; the hours that most people mean by either word differ in nothing but that. */
export const NIGHT: Span = { days: ["mon", "tue", "wed", "thu", "fri"], start: "22:00", until: "07:00" };
export const DAYTIME: Span = { days: ["mon", "tue", "wed", "thu", "fri"], start: "09:00", until: "17:00" };

export const draftOf = (route: Route): Draft => ({
  ...matchDraftOf(route.match),
  id: route.id,
  name: route.name,
  channels: route.channels,
  repeat_h: String(route.repeat_s / 3600),
  group_by: route.group_by,
  group_wait_s: String(route.group_wait_s),
  group_interval_s: String(route.group_interval_s),
  storm_hosts: String(route.storm_hosts),
  tell_past: route.tell_past,
  send_resolved: route.send_resolved,
  further: route.further,
  enabled: route.enabled,
  hours: route.hours?.kind ?? "always",
  spans: route.hours?.spans ?? [],
  zone: route.hours?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
  critical_passes: route.hours?.critical_passes ?? true,
  escalates: route.escalation !== null,
  escalation_min: String((route.escalation?.after_s ?? 900) / 60),
  escalation_channels: route.escalation?.channels ?? [],
  escalation_critical_only: route.escalation?.critical_only ?? false,
  kept: route,
});

export const FRESH: Draft = draftOf(BLANK);

/** The route that a draft describes; the gateway says what else is wrong with it. */
export function routeOf(draft: Draft): Route {
  return {
    ...draft.kept,
    id: draft.id,
    name: draft.name.trim(),
    channels: [...draft.channels],
    match: matcherOf(draft),
    repeat_s: Math.round((numberOf(draft.repeat_h) || 0) * 3600),
    group_by: draft.group_by,
    group_wait_s: numberOf(draft.group_wait_s) || 0,
    group_interval_s: numberOf(draft.group_interval_s) || 0,
    storm_hosts: numberOf(draft.storm_hosts) || 0,
    tell_past: draft.tell_past,
    send_resolved: draft.send_resolved,
    further: draft.further,
    enabled: draft.enabled,
    hours:
      draft.hours === "always"
        ? null
        : {
            spans: [...draft.spans],
            kind: draft.hours,
            zone: draft.zone.trim(),
            critical_passes: draft.critical_passes,
          },
    escalation: draft.escalates
      ? {
          after_s: Math.round((numberOf(draft.escalation_min) || 0) * 60),
          channels: [...draft.escalation_channels],
          critical_only: draft.escalation_critical_only,
        }
      : null,
  };
}

/** The fields that say what is told in one message are as in a route that nobody changed them in. */
export const isGroupedAsUsual = (route: Route): boolean =>
  (["group_by", "group_wait_s", "group_interval_s", "storm_hosts", "tell_past"] as const).every(
    (name) => route[name] === BLANK[name],
  );

/** What is wrong with a number that was typed, null: nothing. */
function boundFault(text: string, least: number, most: number, unit: string): string | null {
  const fault = numberFault(text);
  if (fault) return fault;
  const value = numberOf(text);
  const least_words = least < 1 && least > 0 ? least.toFixed(2) : fixed(least, 0);
  return value >= least - 1e-9 && value <= most ? null : `Type ${least_words} to ${fixed(most, 0)} ${unit}.`;
}

/** What can be told without the gateway, by its names of the fields. */
export function faultsOf(draft: Draft): Record<string, string> {
  const faults = matchFaults(draft);
  if (draft.name.trim() === "") faults.name = "Give the route a name.";
  for (const [name, text, least, most, unit] of [
    ["repeat_s", draft.repeat_h, 0, 168, "hours"],
    ["group_wait_s", draft.group_wait_s, 0, 3600, "seconds"],
    ["group_interval_s", draft.group_interval_s, 0, 86_400, "seconds"],
    ["storm_hosts", draft.storm_hosts, 1, 100_000, "hosts"],
  ] as const) {
    const fault = boundFault(text, least, most, unit);
    if (fault) faults[name] = fault;
  }
  const repeat_s = (numberOf(draft.repeat_h) || 0) * 3600;
  if (repeat_s > 0 && repeat_s < 60) faults.repeat_s ??= "Type 0 for never, or at least 0.0167 hours, a minute.";
  if (!Number.isInteger(numberOf(draft.storm_hosts))) faults.storm_hosts ??= "Type a whole number of hosts.";
  if (draft.hours !== "always") {
    if (draft.spans.length === 0) faults["hours.spans"] = "Add a stretch of the week.";
    else if (draft.spans.length > MOST_SPANS)
      faults["hours.spans"] = `These are ${draft.spans.length} stretches; a route has room for ${MOST_SPANS}.`;
    else if (draft.spans.some(({ days, start, until }) => days.length === 0 || !start || !until))
      faults["hours.spans"] = "Each stretch needs a day, a beginning and an end.";
    if (!isZone(draft.zone.trim())) faults["hours.zone"] = "Type the name of a time zone, such as Europe/Berlin.";
  }
  if (draft.escalates) {
    const after = boundFault(draft.escalation_min, 1 / 6, 168 * 60, "minutes");
    if (after) faults["escalation.after_s"] = after;
    if (draft.escalation_channels.length === 0) faults["escalation.channels"] = "Choose who is told then.";
  }
  return faults;
}
