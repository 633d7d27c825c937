// Why a search finds nothing: which of its terms does not fit any host, and what to search for instead. Pure.
import { counted } from "../format.ts";
import { nearestOf } from "./nearest.ts";
import type { Candidate, Search, Term } from "./search.ts";
import { STANDINGS } from "./summary.ts";

export interface Reason {
  /** A sentence. */
  words: string;
  /** The whole search that may be meant; null where nothing comes to mind. */
  instead: string | null;
}

/** Keys of the grammar that are followed by a colon. */
const KEYS = ["tag", "is", "state"];

/**
 * Why a search finds nothing among `hosts`, which `are` says: empty for all, ` that is offline` for those of a filter. `tags`
 * are all that there are.
 */
export function explained(
  search: Search,
  hosts: readonly Candidate[],
  tags: Iterable<string>,
  are = "",
): readonly Reason[] {
  if (hosts.length === 0 || search.terms.length === 0) return [];
  const lost = search.terms.filter((term) => !hosts.some(term.holds));
  if (lost.length > 0)
    return lost.map((term) => {
      const { words, word } = lostTerm(term, [...tags], hosts, are);
      return { words, instead: word === null || word === term.word ? null : withWord(search, term, word) };
    });
  const without = search.terms
    .map((term) => ({
      term,
      left: hosts.filter((host) => search.terms.every((one) => one === term || one.holds(host))).length,
    }))
    .filter(({ left }) => left > 0)
    .sort((a, b) => b.left - a.left);
  const best = without[0];
  if (!best) return [{ words: "Each term fits some host, but no host fits all of them.", instead: null }];
  const words = `Without “${best.term.word}” ${counted(best.left)}${best.left === 1 ? " fits" : " fit"}.`;
  return [{ words, instead: withWord(search, best.term, null) || null }];
}

/** The search with another word in the place of a term, or without it. */
const withWord = ({ terms }: Search, term: Term, word: string | null): string =>
  terms
    .map((one) => (one === term ? word : one.word))
    .filter((one) => one !== null)
    .join(" ");

/** Why a term fits no host, and the word that may be meant. */
function lostTerm({ word }: Term, tags: readonly string[], hosts: readonly Candidate[], are: string) {
  const [, minus = "", key, value] = /^(-?)([^:]*):(.*)$/.exec(word) ?? [];
  if (minus) return { words: `“${word}” excludes every host${are}.`, word: null };
  if (key === "tag" && value !== undefined) {
    const near = nearestOf(value, tags);
    return { words: `No host${are} has a tag that begins with “${value}”.`, word: near && `tag:${near}` };
  }
  if (key !== undefined && value !== undefined && !KEYS.includes(key)) {
    const near = nearestOf(key, KEYS);
    if (near) return { words: `“${key}:” is in no name or tag.`, word: `${near}:${value}` };
  }
  const names = hosts.flatMap(({ id, label }) => (label ? [id, label] : [id]));
  return { words: `No host${are} fits “${word}”.`, word: nearestOf(word, [...STANDINGS, ...tags, ...names]) };
}
