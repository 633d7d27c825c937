// The search grammar: terms that must all hold, such as `tag:prod cpu > 80 -offline web`. A term that means nothing is told
// as a problem, and the others still count. Pure.
import type { Base } from "../format.ts";
import { MEASURES } from "./measures.ts";
import { nearestOf } from "./nearest.ts";
import { STANDINGS, type Standing, type Summary, sends } from "./summary.ts";

/** What a search looks at. `summary` is asked for only when a search compares a number. */
export interface Candidate {
  id: string;
  /** What people call it; empty: its id. */
  label: string;
  tags: readonly string[];
  /** What a word is looked for in; see `wordsOf`. */
  words: string;
  standing: Standing;
  /** Whether nobody is told of its alerts. */
  muted: boolean;
  summary: () => Summary;
}

/** Texts as words are looked for in them: in small letters, each on a line of its own, as no word has a line's end in it. */
export const wordsOf = (texts: readonly string[]): string => texts.join("\n").toLowerCase();

export interface Search {
  terms: readonly Term[];
  matches: (candidate: Candidate) => boolean;
  /** True when the outcome changes with every sample. */
  numeric: boolean;
  /** A sentence for each term that was left out: the term, what is wrong with it, what to write instead. */
  problems: readonly string[];
}

const COMPARISONS: Record<string, (value: number, limit: number) => boolean> = {
  ">": (value, limit) => value > limit,
  ">=": (value, limit) => value >= limit,
  "<": (value, limit) => value < limit,
  "<=": (value, limit) => value <= limit,
  // As exact as cards show numbers.
  "=": (value, limit) => value.toFixed(1) === limit.toFixed(1),
};

const SPACED_SIGN = /\s*(>=|<=|>|<|=)\s*/g;
const COMPARISON = /^([^<>=]*)(>=|<=|>|<|=)(.*)$/;
const NUMBER = /^(\d+(?:[.,]\d+)?)(.*)$/;
const RATE = /^(b|[kmg])?(?:(?<=[kmg])i?b)?(?:\/s)?$/;
const POWERS: Record<string, number> = { b: 0, k: 1, m: 2, g: 3 };

export interface Term {
  /** As it was typed, in small letters. */
  word: string;
  holds: (candidate: Candidate) => boolean;
  numeric?: boolean;
}

/** Why a term means nothing; the message is for people. */
class Problem extends Error {}

/** The search that `text` asks for. `base`: what a k, M or G of traffic multiplies by. Never throws. */
export function parseSearch(text: string, base: Base = 1024): Search {
  const terms: Term[] = [];
  const problems: string[] = [];
  for (const word of text.replace(SPACED_SIGN, "$1").split(/\s+/).filter(Boolean)) {
    try {
      terms.push(negatable(word.toLowerCase(), base));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problems.push(`“${word}” is left out: ${error.message}`);
    }
  }
  return {
    terms,
    matches: (candidate) => terms.every((term) => term.holds(candidate)),
    numeric: terms.some((term) => term.numeric),
    problems: [...new Set(problems)],
  };
}

function negatable(word: string, base: Base): Term {
  if (!word.startsWith("-")) return termOf(word, base);
  if (word === "-") throw new Problem("write what to exclude right behind the minus, such as -web.");
  const term = termOf(word.slice(1), base);
  return { ...term, word, holds: (candidate) => !term.holds(candidate) };
}

function termOf(word: string, base: Base): Term {
  const [, name, sign, limit] = COMPARISON.exec(word) ?? [];
  if (name !== undefined && sign !== undefined && limit !== undefined) return comparison(name, sign, limit, base);
  if (word.startsWith("tag:")) return tagged(word.slice(4));
  const state = /^(?:state|is):(.*)$/.exec(word)?.[1];
  if (state !== undefined) return standing(state);
  if (isStanding(word)) return standing(word);
  return { word, holds: ({ words }) => words.includes(word) };
}

function comparison(name: string, sign: string, limit: string, base: Base): Term {
  const measure = Object.hasOwn(MEASURES, name) ? MEASURES[name] : undefined;
  if (!measure)
    throw new Problem(
      `${meant(name, Object.keys(MEASURES))}only ${listed(Object.keys(MEASURES), "and")} can be compared.`,
    );
  const wanted = measure.unit === "B/s" ? rate(limit, base) : percent(name, limit);
  const compare = COMPARISONS[sign] as (value: number, limit: number) => boolean;
  return {
    word: `${name}${sign}${limit}`,
    numeric: true,
    holds: (candidate) => {
      // What a host measured before it went away says nothing of how it is.
      if (!sends(candidate.standing)) return false;
      const value = measure.read(candidate.summary());
      return value !== null && compare(value / wanted.unit, wanted.value);
    },
  };
}

/** A number and the unit that it is written in; values are compared in that unit, so that `=` means what it says. */
interface Amount {
  value: number;
  unit: number;
}

function percent(name: string, text: string): Amount {
  const [, number, rest] = NUMBER.exec(text) ?? [];
  if (number === undefined || (rest !== "" && rest !== "%"))
    throw new Problem(`write a number behind the sign, such as ${name}>${name === "load" ? "1.5" : "80"}.`);
  return { value: decimal(number), unit: 1 };
}

/** MiB/s (or MB/s) unless a unit is written. */
function rate(text: string, base: Base): Amount {
  const [, number, rest] = NUMBER.exec(text) ?? [];
  const unit = RATE.exec(rest ?? "");
  if (number === undefined || !unit)
    throw new Problem("write a number behind the sign, with k, M or G if you like, such as net>10M or net>500k.");
  return { value: decimal(number), unit: base ** (POWERS[unit[1] ?? "m"] as number) };
}

const decimal = (text: string): number => Number(text.replace(",", "."));

function tagged(tag: string): Term {
  if (tag === "") throw new Problem("write the tag right behind the colon, such as tag:prod.");
  return { word: `tag:${tag}`, holds: ({ tags }) => tags.some((one) => one.toLowerCase().startsWith(tag)) };
}

/** Every word that a host may be asked to stand under. */
export const STATES: readonly string[] = [...STANDINGS, "muted"];

const isStanding = (word: string): word is Standing => (STANDINGS as readonly string[]).includes(word);

function standing(word: string): Term {
  if (word === "muted") return { word: "is:muted", holds: ({ muted }) => muted };
  if (!isStanding(word)) throw new Problem(`${meant(word, STATES)}a state is ${listed(STATES, "or")}.`);
  return { word: `is:${word}`, holds: (candidate) => candidate.standing === word };
}

/** `did you mean cpu? `; empty where nothing is like it. */
function meant(word: string, known: readonly string[]): string {
  const near = nearestOf(word, known);
  return near ? `did you mean ${near}? ` : "";
}

const listed = (words: readonly string[], last: "and" | "or"): string =>
  `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
