// A route while it is being written: texts as typed, and the route that they make. Pure.
import { ALL, type MatchDraft, matchDraftOf, matcherOf } from "../alerts/matching.ts";
import type { Hours, Route, Span } from "../api/types.gen.ts";
import { numberFault, numberOf } from "../typed.ts";

export interface Draft extends MatchDraft {
  id: string;
  name: string;
  channels: readonly string[];
  repeat_h: string;
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

/** What can be told without the gateway, by its names of the fields. */
export function faultsOf(draft: Draft): Record<string, string> {
  const faults: Record<string, string> = {};
  const repeat = numberFault(draft.repeat_h);
  if (repeat) faults.repeat_s = repeat;
  if (draft.hours !== "always") {
    if (draft.spans.length === 0) faults["hours.spans"] = "Add a stretch of the week.";
    else if (draft.spans.some(({ days, start, until }) => days.length === 0 || !start || !until))
      faults["hours.spans"] = "Each stretch needs a day, a beginning and an end.";
    if (draft.zone.trim() === "") faults["hours.zone"] = "Type a time zone, such as Europe/Berlin.";
  }
  if (draft.escalates) {
    const after = numberFault(draft.escalation_min);
    if (after) faults["escalation.after_s"] = after;
    if (draft.escalation_channels.length === 0) faults["escalation.channels"] = "Choose who is told then.";
  }
  return faults;
}
