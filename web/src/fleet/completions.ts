// What could follow in a search: keys while a word begins, then the values that there are. Pure.
import { counted } from "../format.ts";
import { OFFERED } from "./measures.ts";
import { STATES } from "./search.ts";

export interface Vocabulary {
  /** Every tag, and how many hosts have it. */
  tags: ReadonlyMap<string, number>;
  hosts: readonly { readonly name: string }[];
}

export interface Completion {
  /** The whole search. */
  text: string;
  /** What the word that it ends with finds. */
  meaning: string;
}

/** Words that a term begins with, and what they find. */
const KEYS: readonly (readonly [string, string])[] = [
  ["tag:", "hosts with a tag"],
  ["is:", "hosts in a state"],
  ...OFFERED.map(([word, { words }]) => [`${word}>`, words] as const),
];

/** Offered at once. */
export const MOST = 10;

/** What the last word of `text` could become. A word that is complete, and an empty one behind another, offer nothing. */
export function completions(text: string, { tags, hosts }: Vocabulary): readonly Completion[] {
  const [, before = "", minus = "", word = ""] = /^(.*?)(-?)(\S*)$/.exec(text) ?? [];
  if (word === "" && text !== "") return [];
  const wanted = word.toLowerCase();
  const found: [string, string][] = [];
  const value = /^(tag|is|state):(.*)$/.exec(wanted);
  if (value?.[1] === "tag") found.push(...tagsFor(tags, value[2] ?? ""));
  else if (value) found.push(...states(value[1] ?? "is", value[2] ?? ""));
  else {
    found.push(...KEYS.filter(([key]) => key.startsWith(wanted)).map(([key, finds]): [string, string] => [key, finds]));
    if (wanted) {
      found.push(...states("is", wanted), ...tagsFor(tags, wanted));
      const named = hosts.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, MOST);
      found.push(...named.map(({ name }): [string, string] => [name, "a host"]));
    }
  }
  return found
    .filter(([offer]) => offer !== wanted && !/\s/.test(offer))
    .slice(0, MOST)
    .map(([offer, meaning]) => ({
      text: `${before}${minus}${offer}`,
      meaning: minus ? `without ${meaning}` : meaning,
    }));
}

const tagsFor = (tags: Vocabulary["tags"], begin: string): [string, string][] =>
  [...tags]
    .filter(([tag]) => tag.toLowerCase().startsWith(begin))
    .sort(([a, many], [b, few]) => few - many || a.localeCompare(b))
    .map(([tag, count]) => [`tag:${tag}`, counted(count)]);

const states = (key: string, begin: string): [string, string][] =>
  STATES.filter((state) => state.startsWith(begin)).map((state) => [`${key}:${state}`, `hosts that are ${state}`]);
