// A silence while it is being written: texts as typed, and the request that they make. Pure but for the zone of the page's clocks.
import type { Matcher, NewSilence, Silenced, StoredSilence } from "../api/types.gen.ts";
import { timeZone } from "../time/zone.ts";
import { fieldOf, fieldTime, offsetWord } from "../time/zones.ts";
import { fitsAll, type MatchDraft, matchDraftOf, matcherOf, matchFaults } from "./matching.ts";

export interface Draft extends MatchDraft {
  /** When it begins: at once, at a time, or, with one that is stored, as before. */
  begins: "now" | "at" | "kept";
  /** As `datetime-local` has it. */
  starts: string;
  /** Seconds, or until a time. */
  lasts: string;
  ends: string;
  reason: string;
  /** The silence that it began as; null: a new one. */
  kept: StoredSilence | null;
}

/** How long a silence lasts, in seconds. */
export const LASTING: readonly (readonly [number, string])[] = [
  [3600, "1 hour"],
  [4 * 3600, "4 hours"],
  [24 * 3600, "1 day"],
  [7 * 86_400, "1 week"],
];

export const freshFor = (match: Matcher): Draft => ({
  ...matchDraftOf(match),
  begins: "now",
  starts: "",
  lasts: String(LASTING[0]?.[0]),
  ends: "",
  reason: "",
  kept: null,
});

export const draftOf = (stored: StoredSilence): Draft => ({
  ...matchDraftOf(stored.match),
  begins: stored.state === "pending" ? "at" : "kept",
  starts: localText(stored.starts),
  lasts: "until",
  ends: localText(stored.ends),
  reason: stored.reason,
  kept: stored,
});

export function silenceOf(draft: Draft): NewSilence {
  const { kept } = draft;
  const starts = draft.begins === "at" ? secondsOf(draft.starts, kept?.starts) : (kept?.starts ?? null);
  const lasting =
    draft.lasts === "until" ? { ends: secondsOf(draft.ends, kept?.ends) } : { for_s: Number(draft.lasts) };
  return {
    match: matcherOf(draft),
    starts: draft.begins === "now" ? null : starts,
    reason: draft.reason.trim(),
    ...lasting,
  };
}

/** What can be told without the gateway, by its names of the fields. */
export function faultsOf(draft: Draft, now_s: number): Record<string, string> {
  const { starts, ends } = silenceOf(draft);
  const faults = matchFaults(draft);
  if (draft.begins === "at" && (starts === null || starts === undefined)) faults.starts = "Type when it begins.";
  if (draft.lasts !== "until") return faults;
  if (ends === null || ends === undefined) faults.ends = "Type when it ends.";
  else if (ends <= Math.max(now_s, starts ?? 0))
    faults.ends = "Type a time that is still to come, after its beginning.";
  return faults;
}

/** Unix seconds as `datetime-local` has them, by the clocks of the page, to the minute. */
export const localText = (at_s: number): string => fieldOf(at_s * 1000, timeZone.peek()).slice(0, 16);

/** Unix seconds of what was typed, null when that is no time; `kept` when it was not changed, seconds and all. */
function secondsOf(text: string, kept: number | undefined): number | null {
  if (kept !== undefined && text === localText(kept)) return kept;
  const at_ms = fieldTime(text, timeZone.peek());
  return at_ms === null || Number.isNaN(at_ms) ? null : at_ms / 1000;
}

/** Whose clocks the fields are told by, and how far those are from UTC at the time in `text`. */
export function clocksWords(text: string, now_s: number): string {
  const zone = timeZone.value ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const offset = offsetWord(fieldTime(text, timeZone.value) ?? now_s * 1000, timeZone.value);
  return zone === offset ? zone : `${zone}, ${offset}`;
}

const counted = (count: number, one: string, more: string): string =>
  `${count === 0 ? "no" : count} ${count === 1 ? one : more}`;

/** What a silence would do now, in a sentence. */
export function previewWords(match: Matcher, found: Silenced): string {
  const now = `Matches ${counted(found.incident_count, "firing alert", "firing alerts")}`;
  const hosts = match.about === "sonde" ? "" : ` and ${counted(found.host_count, "host", "hosts")}`;
  const all = fitsAll(match) ? " Nobody would be told of anything: say which alerts are meant." : "";
  return `${now}${hosts}.${all}`;
}
