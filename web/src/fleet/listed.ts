// A host as lists order, search and group it. What moves of it is read when it is asked for.
import { countsOf, standingOf } from "../alerts/data.ts";
import type { Host } from "../api/types.gen.ts";
import { now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import type { Ordered } from "./order.ts";
import { reading } from "./readings.ts";
import { type Candidate, wordsOf } from "./search.ts";
import { STANDINGS, standing, summarise } from "./summary.ts";

export interface Listed extends Candidate, Ordered {
  readonly entry: Entry;
  /** What it is called on the page. */
  readonly name: string;
  near: number;
}

const known = new WeakMap<Entry, Listed>();

/** The same object as long as the host is called the same. */
export function listed(entry: Entry): Listed {
  const name = entry.host.peek().label || entry.id;
  const before = known.get(entry);
  if (before?.name === name) return before;
  let read: { host: Host | null; words: string } = { host: null, words: "" };
  const made: Listed = {
    id: entry.id,
    entry,
    name,
    near: before?.near ?? 0,
    get label() {
      return entry.host.peek().label;
    },
    get words() {
      const host = entry.host.peek();
      if (read.host !== host) {
        const { id, label, facts, tags } = host;
        read = { host, words: wordsOf([id, label, facts.hostname, ...tags]) };
      }
      return read.words;
    },
    get tags() {
      return entry.host.peek().tags;
    },
    get muted() {
      const until = entry.host.peek().muted_until;
      return until === "forever" || (until !== null && until > now.peek());
    },
    get standing() {
      return standingOf(entry);
    },
    get lastStanding() {
      return standing(entry.host.peek().state, countsOf(entry), true);
    },
    summary: () => summarise(entry.latest, entry.host.peek().facts.cores),
    sortValue: (by) => sortValue(entry, by),
  };
  known.set(entry, made);
  return made;
}

function sortValue(entry: Entry, by: string): number | string | null {
  const { facts, label, tags, state } = entry.host.peek();
  switch (by) {
    case "name":
      return label || entry.id;
    case "state":
      return STANDINGS.indexOf(standing(state, countsOf(entry), true));
    case "tags":
      return tags.join(" ") || null;
    case "alerts":
      return countsOf(entry).critical * 1e6 + countsOf(entry).warning;
    case "age":
      return entry.lastSample;
    case "uptime":
      return facts.boot_time > 0 && entry.lastSample !== null ? entry.lastSample / 1000 - facts.boot_time : null;
    case "os":
      return facts.os || null;
    case "version":
      return facts.agent_version || null;
    default:
      return reading(entry.latest, by)?.value ?? null;
  }
}
