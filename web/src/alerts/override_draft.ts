// What of a rule is different for some hosts, while it is being written: texts as typed. Pure.
import type { Override } from "../api/types.gen.ts";
import { numberOf } from "../typed.ts";
import { durationFault, type LevelDraft, levelFaults, levelsOf, number, thresholdOf } from "./limits.ts";
import { PATTERN, words } from "./matching.ts";

/** An empty text is as in the rule. */
export interface OverrideDraft extends LevelDraft {
  /** Separated by commas or spaces, as the tags. */
  hosts: string;
  tags: string;
  for_s: string;
  recover_for_s: string;
  enabled: "as" | "on" | "off";
}

export const NEW_OVERRIDE: OverrideDraft = {
  hosts: "",
  tags: "",
  ...levelsOf(null, null),
  for_s: "",
  recover_for_s: "",
  enabled: "as",
};

export const overrideDraftOf = (override: Override): OverrideDraft => ({
  hosts: override.hosts.join(", "),
  tags: override.tags.join(", "),
  ...levelsOf(override.warning, override.critical),
  for_s: number(override.for_s),
  recover_for_s: number(override.recover_for_s),
  enabled: override.enabled === null ? "as" : override.enabled ? "on" : "off",
});

const seconds = (text: string): number | null => (text.trim() === "" ? null : numberOf(text) || 0);

/** `down`: thresholds are seconds of silence, which nothing clears but a sample. */
export const overrideOf = (draft: OverrideDraft, down: boolean): Override => ({
  hosts: words(draft.hosts),
  tags: words(draft.tags),
  warning: thresholdOf(draft.warning_raise, down ? "" : draft.warning_clear),
  critical: thresholdOf(draft.critical_raise, down ? "" : draft.critical_clear),
  for_s: seconds(draft.for_s),
  recover_for_s: seconds(draft.recover_for_s),
  enabled: draft.enabled === "as" ? null : draft.enabled === "on",
});

/** What is wrong with one that the gateway need not be asked for, by field. */
export function overrideFaults(
  draft: OverrideDraft,
  comparison: "above" | "below",
  down: boolean,
): Partial<Record<keyof OverrideDraft, string>> {
  const faults: Partial<Record<keyof OverrideDraft, string>> = { ...levelFaults(draft, comparison, down) };
  const hosts = words(draft.hosts);
  const odd = hosts.find((one) => !PATTERN.test(one));
  if (odd) faults.hosts = `“${odd}” is no host: type ids such as web-1, or patterns such as web-*.`;
  else if (hosts.length === 0 && words(draft.tags).length === 0)
    faults.hosts = "Say for which hosts it is: by their ids, by tags, or both.";
  for (const name of ["for_s", "recover_for_s"] as const) {
    const fault = durationFault(draft[name]);
    if (fault) faults[name] = fault;
  }
  const { hosts: _, tags: __, ...changes } = overrideOf(draft, down);
  if (Object.values(changes).every((value) => value === null) && Object.keys(faults).length === 0)
    faults.critical_raise = "Change something: a threshold, a time, or whether it is on.";
  return faults;
}
