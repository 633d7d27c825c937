// A rehearsal in words, and the rule that is played. Pure.
import type { Outcome, Rehearsal, Rule } from "../api/types.gen.ts";
import { duration, moment } from "../format.ts";

/** How far back one may look, in days. */
export const REACHES: readonly (readonly [number, string])[] = [
  [1, "the last day"],
  [7, "the last 7 days"],
  [31, "the last 31 days"],
];

export const isOver = ({ state }: Rehearsal): boolean => state !== "waiting" && state !== "running";

/** `rule` with what a draft may still lack and what makes no difference, so that drafts of the same play are equal. */
export const playable = (rule: Rule): Rule => ({ ...rule, id: "draft", name: "draft", enabled: true, runbook_url: "" });

const times = (count: number): string => (count === 1 ? "once" : `${count} times`);

/** What a rule would have done, in a sentence. */
export function outcomeWords(outcome: Outcome): string {
  const range = `in the ${duration(outcome.end - outcome.start)} until ${moment(outcome.end * 1000)}`;
  if (outcome.hosts === 0) return "It fits no host that has samples.";
  const hosts =
    outcome.hosts === 1 ? "the one host that it looks at" : `any of the ${outcome.hosts} hosts that it looks at`;
  if (outcome.fired === 0) return `It would not have fired ${range}, on ${hosts}.`;
  const critical = outcome.critical === 0 ? "never critical" : `${times(outcome.critical)} critical`;
  const on = `on ${outcome.hosts_fired} of ${outcome.hosts} ${outcome.hosts === 1 ? "host" : "hosts"}`;
  return `It would have fired ${times(outcome.fired)} ${range}, ${on}; ${critical}.`;
}

/** What the answer does not rest on, each a sentence. */
export function limitsOf(outcome: Outcome, asked_days: number): string[] {
  const limits: string[] = [];
  if (!outcome.complete)
    limits.push(`The time was up: only ${outcome.hosts_played} of ${outcome.hosts} hosts were played.`);
  if (outcome.end - outcome.start < asked_days * 86_400 - 60)
    limits.push(`Samples begin at ${moment(outcome.start * 1000)}.`);
  if (outcome.exact_from > outcome.start + 60)
    limits.push(`Before ${moment(outcome.exact_from * 1000)} only one value a minute is left.`);
  if (outcome.fired > outcome.episodes.length)
    limits.push(`Only the latest ${outcome.episodes.length} times are listed and drawn.`);
  return limits;
}
