// The search grammar: words that must all hold, such as `tag:prod cpu>80 offline web`.
import type { Standing, Summary } from "./summary.ts";
import { STANDINGS } from "./summary.ts";

/** What a search looks at. `summary` is asked for only when a search compares a number. */
export interface Candidate {
  id: string;
  hostname: string;
  tags: readonly string[];
  standing: Standing;
  summary: () => Summary;
}

export interface Search {
  matches: (candidate: Candidate) => boolean;
  /** True when the outcome changes with every sample. */
  numeric: boolean;
}

const NUMBERS: Record<string, (summary: Summary) => number | null> = {
  cpu: (summary) => summary.cpu,
  mem: (summary) => summary.memory,
  memory: (summary) => summary.memory,
  disk: (summary) => summary.space?.value ?? null,
  inodes: (summary) => summary.inodes?.value ?? null,
  gpu: (summary) => summary.gpu?.value ?? null,
  load: (summary) => summary.loadPerCore,
};

const COMPARISON = /^([a-z]+)(>=|<=|>|<)(\d+(?:\.\d+)?)%?$/;

/** The search that `text` asks for. What is no known word of the grammar is looked for in id, host name and tags. */
export function parseSearch(text: string): Search {
  let numeric = false;
  const tests = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word): ((candidate: Candidate) => boolean) => {
      const comparison = COMPARISON.exec(word);
      const read = comparison ? NUMBERS[comparison[1] as string] : undefined;
      if (comparison && read) {
        numeric = true;
        const limit = Number(comparison[3]);
        return (candidate) => {
          const value = read(candidate.summary());
          return value !== null && compare(value, comparison[2] as string, limit);
        };
      }
      if (word.startsWith("tag:")) {
        const tag = word.slice(4);
        return (candidate) => candidate.tags.some((one) => one.toLowerCase().startsWith(tag));
      }
      if ((STANDINGS as readonly string[]).includes(word)) return (candidate) => candidate.standing === word;
      return (candidate) =>
        candidate.id.includes(word) ||
        candidate.hostname.toLowerCase().includes(word) ||
        candidate.tags.some((tag) => tag.toLowerCase().includes(word));
    });
  return { matches: (candidate) => tests.every((holds) => holds(candidate)), numeric };
}

function compare(value: number, operator: string, limit: number): boolean {
  switch (operator) {
    case ">":
      return value > limit;
    case ">=":
      return value >= limit;
    case "<":
      return value < limit;
    default:
      return value <= limit;
  }
}
