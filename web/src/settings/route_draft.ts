// A route while it is being written: texts as typed, and the route that they make. Pure.
import type { Matcher, Route } from "../api/types.gen.ts";
import { numberOf } from "../typed.ts";

export interface Draft {
  id: string;
  name: string;
  channels: readonly string[];
  hosts: string;
  tags: string;
  rules: string;
  severity: Matcher["severity"];
  repeat_h: string;
  send_resolved: boolean;
  further: boolean;
  enabled: boolean;
  /** The route that it began as, with all that the form does not show. */
  kept: Route;
}

const BLANK: Route = {
  id: "",
  name: "",
  channels: [],
  position: 100,
  match: {
    hosts: [],
    tags: [],
    without_tags: [],
    rules: [],
    instances: [],
    severity: "any",
    about: "all",
  },
  further: false,
  group_by: "host",
  group_wait_s: 0.5,
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

export const draftOf = (route: Route): Draft => ({
  id: route.id,
  name: route.name,
  channels: route.channels,
  hosts: route.match.hosts.join(", "),
  tags: route.match.tags.join(", "),
  rules: route.match.rules.join(", "),
  severity: route.match.severity,
  repeat_h: String(route.repeat_s / 3600),
  send_resolved: route.send_resolved,
  further: route.further,
  enabled: route.enabled,
  kept: route,
});

export const FRESH: Draft = draftOf(BLANK);

const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

/** The route that a draft describes; the gateway says what is wrong with it. */
export function routeOf(draft: Draft): Route {
  const { kept } = draft;
  return {
    ...kept,
    id: draft.id,
    name: draft.name.trim(),
    channels: [...draft.channels],
    match: {
      ...kept.match,
      hosts: words(draft.hosts),
      tags: words(draft.tags),
      rules: words(draft.rules),
      severity: draft.severity,
    },
    repeat_s: Math.round((numberOf(draft.repeat_h) || 0) * 3600),
    send_resolved: draft.send_resolved,
    further: draft.further,
    enabled: draft.enabled,
  };
}
