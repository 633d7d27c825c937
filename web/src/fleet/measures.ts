// What a search compares with a number: the words of the grammar, what they read of a host, and what they are. Pure.
import { type Summary, traffic } from "./summary.ts";

export interface Measure {
  read: (summary: Summary) => number | null;
  /** What is compared, as people say it. */
  words: string;
  unit: "%" | "" | "B/s";
  /** Understood, but another word for it is offered. */
  other?: true;
}

export const MEASURES: Readonly<Record<string, Measure>> = {
  cpu: { read: ({ cpu }) => cpu, words: "percent of CPU", unit: "%" },
  mem: { read: ({ memory }) => memory, words: "percent of memory", unit: "%" },
  memory: { read: ({ memory }) => memory, words: "percent of memory", unit: "%", other: true },
  disk: { read: ({ space }) => space?.value ?? null, words: "percent of the fullest file system", unit: "%" },
  inodes: { read: ({ inodes }) => inodes?.value ?? null, words: "percent of inodes", unit: "%" },
  gpu: { read: ({ gpu }) => gpu?.value ?? null, words: "percent of the busiest GPU", unit: "%" },
  load: { read: ({ loadPerCore }) => loadPerCore, words: "load per core", unit: "" },
  net: { read: traffic, words: "traffic", unit: "B/s" },
};

/** Each with the word that is offered for it. */
export const OFFERED: readonly (readonly [word: string, measure: Measure])[] = Object.entries(MEASURES).filter(
  ([, { other }]) => !other,
);
