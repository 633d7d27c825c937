// Which alerts a route or a silence means, while that is being written: lists as typed. Pure.
import type { Incident, Matcher } from "../api/types.gen.ts";

export interface MatchDraft {
  /** Separated by commas or spaces, as all but instances, which may have spaces in them. */
  hosts: string;
  tags: string;
  without_tags: string;
  rules: string;
  instances: string;
  severity: Matcher["severity"];
  about: Matcher["about"];
}

export const matchDraftOf = (match: Matcher): MatchDraft => ({
  hosts: match.hosts.join(", "),
  tags: match.tags.join(", "),
  without_tags: match.without_tags.join(", "),
  rules: match.rules.join(", "),
  instances: match.instances.map(withoutCommas).join(", "),
  severity: match.severity,
  about: match.about,
});

/** A comma would end it in a list; ? stands for any one character. */
const withoutCommas = (pattern: string): string => pattern.replaceAll(",", "?");

export const words = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter(Boolean))];

export const matcherOf = (draft: MatchDraft): Matcher => ({
  hosts: words(draft.hosts),
  tags: words(draft.tags),
  without_tags: words(draft.without_tags),
  rules: words(draft.rules),
  instances: [
    ...new Set(
      draft.instances
        .split(",")
        .map((one) => one.trim())
        .filter(Boolean),
    ),
  ],
  severity: draft.severity,
  about: draft.about,
});

/** Ids of hosts or rules, with * for any characters and ? for one. */
export const PATTERN = /^[a-z0-9*?-]{1,40}$/;

/** What is wrong without asking the gateway, by its names of the fields. */
export function matchFaults(draft: MatchDraft): Record<string, string> {
  const faults: Record<string, string> = {};
  for (const [name, one, examples] of [
    ["hosts", "host", "ids such as web-1, or patterns such as web-*"],
    ["rules", "rule", "ids such as disk-full, or patterns such as disk-*"],
  ] as const) {
    const odd = words(draft[name]).find((word) => !PATTERN.test(word));
    if (odd) faults[`match.${name}`] = `“${odd}” is the id of no ${one}: type ${examples}.`;
  }
  return faults;
}

export const ALL: Matcher = {
  hosts: [],
  tags: [],
  without_tags: [],
  rules: [],
  instances: [],
  severity: "any",
  about: "all",
};

/** This rule, on this host, for this instance. */
export const matcherOfIncident = (incident: Incident): Matcher => ({
  ...ALL,
  rules: [incident.rule],
  ...(incident.host ? { hosts: [incident.host] } : { about: "sonde" }),
  ...(incident.instance ? { instances: [incident.instance] } : {}),
});

/** Whether it fits every alert that there is. */
export const fitsAll = (match: Matcher): boolean => JSON.stringify(match) === JSON.stringify(ALL);
