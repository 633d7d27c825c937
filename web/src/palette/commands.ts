// What can be chosen in the palette, and which of it a text means. Pure.
import type { Role } from "../api/types.gen.ts";
import type { Standing } from "../fleet/summary.ts";

/** In the order in which they stand as long as nothing is typed. */
export const GROUPS = ["Pages", "Views", "Actions", "Alerts", "Hosts"] as const;
export type Group = (typeof GROUPS)[number];

export interface Command {
  /** The same as long as it is the same thing. */
  key: string;
  group: Group;
  /** What it is called; begins with a capital unless it is a name. */
  words: string;
  /** Other words that it is found by, such as tags. */
  also?: readonly string[];
  /** Told behind its name, such as the names that a host goes by besides. */
  detail?: string;
  /** How a host is. */
  standing?: Standing;
  /** The key that does the same. */
  press?: string;
  /** Who may; everybody without. */
  needs?: Role;
  /** Where it leads. */
  href?: string;
  /** What it does, where it leads nowhere. */
  act?: () => void;
}

/** Of what is found equally well, what people look for most comes first. */
const FOUND: readonly Group[] = ["Pages", "Hosts", "Views", "Actions", "Alerts"];

/** Fewer of each group are shown as long as nothing is typed: nobody reads more. */
const FIRST: Record<Group, number> = { Pages: 20, Views: 20, Actions: 40, Alerts: 6, Hosts: 6 };
/** Most that are shown of what matches. */
export const MOST = 40;

export interface Found {
  commands: readonly Command[];
  /** How many match besides. */
  more: number;
}

const START = 0;
const WORD = 1;
const INSIDE = 2;
const ALSO = 3;

/** How well `word` (lower case) names a command: the less the better; null when it does not. */
function fit(command: Command, word: string): number | null {
  const words = command.words.toLowerCase();
  if (words.startsWith(word)) return START;
  const at = words.indexOf(word);
  if (at > 0) return /[\s._:/-]/.test(words.charAt(at - 1)) ? WORD : INSIDE;
  return command.also?.some((one) => one.toLowerCase().includes(word)) ? ALSO : null;
}

function fitAll(command: Command, words: readonly string[]): number | null {
  let total = 0;
  for (const word of words) {
    const one = fit(command, word);
    if (one === null) return null;
    total += one;
  }
  return total;
}

/** The commands that every word of `text` is found in, best first; of those alike hosts before what is done with them, else as they were given. */
export function find(commands: readonly Command[], text: string): Found {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return begin(commands);
  const fitting = commands.flatMap((command) => {
    const rank = fitAll(command, words);
    return rank === null ? [] : [{ command, rank }];
  });
  const place = ({ group }: Command) => FOUND.indexOf(group);
  fitting.sort((a, b) => a.rank - b.rank || place(a.command) - place(b.command));
  return {
    commands: fitting.slice(0, MOST).map(({ command }) => command),
    more: Math.max(0, fitting.length - MOST),
  };
}

function begin(commands: readonly Command[]): Found {
  const shown = GROUPS.flatMap((group) => commands.filter((one) => one.group === group).slice(0, FIRST[group]));
  return { commands: shown, more: commands.length - shown.length };
}
