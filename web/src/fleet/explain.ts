// Why a search finds nothing: which of its terms does not fit any host, and what may have been meant. Pure.
import { nearestOf } from "./nearest.ts";
import type { Candidate, Search, Term } from "./search.ts";
import { STANDINGS } from "./summary.ts";

/** Keys of the grammar that are followed by a colon. */
const KEYS = ["tag", "is", "state"];

/** Sentences for a search that finds nothing among `hosts`; `tags` are all that there are. */
export function explained(search: Search, hosts: readonly Candidate[], tags: Iterable<string>): readonly string[] {
  if (hosts.length === 0 || search.terms.length === 0) return [];
  const lost = search.terms.filter((term) => !hosts.some(term.holds));
  if (lost.length > 0) return lost.map((term) => lostWords(term, [...tags], hosts));
  const without = search.terms
    .map((term) => ({
      term,
      left: hosts.filter((host) => others(search, term).every((one) => one.holds(host))).length,
    }))
    .filter(({ left }) => left > 0)
    .sort((a, b) => b.left - a.left);
  const best = without[0];
  if (!best) return ["Each term fits some host, but no two of them the same."];
  return [`Without “${best.term.word}” ${best.left} ${best.left === 1 ? "host fits" : "hosts fit"}.`];
}

const others = ({ terms }: Search, left: Term): readonly Term[] => terms.filter((term) => term !== left);

function lostWords({ word }: Term, tags: readonly string[], hosts: readonly Candidate[]): string {
  const [, minus = "", key, value] = /^(-?)([^:]*):(.*)$/.exec(word) ?? [];
  if (minus) return `“${word}” excludes every host.`;
  if (key === "tag" && value !== undefined) {
    const near = nearestOf(value, tags);
    return `No host has a tag that begins with “${value}”.${near ? ` Did you mean tag:${near}?` : ""}`;
  }
  if (key !== undefined && value !== undefined && !KEYS.includes(key)) {
    const near = nearestOf(key, KEYS);
    if (near) return `“${key}:” is in no name or tag. Did you mean ${near}:${value}?`;
  }
  const names = hosts.flatMap(({ id, label }) => (label ? [id, label] : [id]));
  const near = nearestOf(word, [...STANDINGS, ...tags, ...names]);
  return `No host fits “${word}”.${near ? ` Did you mean ${near}?` : ""}`;
}
