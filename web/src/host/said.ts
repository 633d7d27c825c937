// What people say of a host, as they edit it: label, tags, note, until when nobody is notified. Pure.
import type { HostChange, Muted } from "../api/types.gen.ts";
import { mutedWords } from "./muted.ts";

export const MOST_TAGS = 20;
const MOST_TAG = 40;
export const MOST_LABEL = 80;
export const MOST_NOTE = 2000;

/** How long to mute for: as it is, not at all, some hours, or until somebody ends it. */
export type Mute = "keep" | "off" | "1" | "8" | "24" | "168" | "forever";
export const MUTES: Record<Exclude<Mute, "keep" | "off">, string> = {
  "1": "Muted for an hour",
  "8": "Muted for 8 hours",
  "24": "Muted for a day",
  "168": "Muted for a week",
  forever: "Muted until somebody ends it",
};

export interface Said {
  label: string;
  tags: readonly string[];
  note: string;
  muted_until: Muted;
}

export interface Draft {
  label: string;
  /** Words, with spaces or commas between them. */
  tags: string;
  note: string;
  mute: Mute;
}

export type Faults = Partial<Record<keyof Draft, string>>;

export const draftOf = ({ label, tags, note, muted_until }: Said): Draft => ({
  label,
  tags: tags.join(" "),
  note,
  mute: muted_until === null ? "off" : "keep",
});

/** The tags in a text, each once. */
export const tagsOf = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter(Boolean))];

export const withTag = (text: string, tag: string): string => [...tagsOf(text), tag].join(" ");

export function faultsOf({ label, tags, note }: Draft): Faults {
  const faults: Faults = {};
  if (label.trim().length > MOST_LABEL) faults.label = `Shorten it to ${MOST_LABEL} characters.`;
  const given = tagsOf(tags);
  const long = given.find((tag) => tag.length > MOST_TAG);
  if (given.length > MOST_TAGS) faults.tags = `Give at most ${MOST_TAGS} tags; these are ${given.length}.`;
  else if (long) faults.tags = `“${long.slice(0, 20)}…” is too long; a tag has at most ${MOST_TAG} characters.`;
  if (note.length > MOST_NOTE) faults.note = `Shorten it to ${MOST_NOTE} characters.`;
  return faults;
}

/** What to send: only what is otherwise than `before`, so that the rest stays as somebody else may have made it. */
export function changeOf(draft: Draft, before: Said, now: number): HostChange {
  const change: HostChange = {};
  const label = draft.label.trim();
  const tags = tagsOf(draft.tags);
  if (label !== before.label) change.label = label;
  if (tags.join(" ") !== before.tags.join(" ")) change.tags = tags;
  if (draft.note !== before.note) change.note = draft.note;
  if (draft.mute === "off" && before.muted_until !== null) change.muted_until = null;
  else if (draft.mute === "forever") change.muted_until = "forever";
  else if (draft.mute !== "keep" && draft.mute !== "off") change.muted_until = now + Number(draft.mute) * 3_600_000;
  return change;
}

/** What is said otherwise now than `before`, as a sentence's end: `the label is “Till”, the tags are eu, prod.` */
export function differenceWords(before: Said, { label, tags, note, muted_until }: Said, now: number): string {
  const words: string[] = [];
  if (label !== before.label) words.push(label ? `the label is “${label}”` : "there is no label");
  if (tags.join() !== before.tags.join())
    words.push(tags.length > 0 ? `the tags are ${tags.join(", ")}` : "there are no tags");
  if (muted_until !== before.muted_until) words.push(`it is ${mutedWords(muted_until, now) || "not muted"}`);
  if (note !== before.note) words.push(note ? `the note is “${note}”` : "there is no note");
  return `${words.join(", ") || "it is as it was"}.`;
}
