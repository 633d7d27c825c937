// Which of a store's hosts a list shows, in which order, and what follows from that. Each part moves only when it would hold
// something else, so that news of hosts that change nothing here render nothing anew.
import { computed, type ReadonlySignal, untracked } from "@preact/signals-core";
import type { Entry, Store } from "../live/store.ts";
import { type Group, type Grouping, grouped } from "./grouping.ts";
import { followsSamples, type Ordered, ordered, renamed, type Sorting } from "./order.ts";
import type { Candidate, Search } from "./search.ts";
import type { Standing } from "./summary.ts";

export interface Asked<T> {
  store: Store;
  listed: (entry: Entry) => T;
  sorts: ReadonlySignal<readonly Sorting[]>;
  search: ReadonlySignal<Search>;
  /** The one standing to show; null for all. */
  standing: ReadonlySignal<Standing | null>;
  grouping: ReadonlySignal<Grouping>;
  /** Moves when hosts are otherwise than before: what they are called, their state, tags, facts. */
  changed: ReadonlySignal<unknown>;
  /** Moves when something else makes them stand under another word. */
  judged: ReadonlySignal<unknown>;
  /** Moves as often as what follows samples is looked at again; nothing that does is looked at between. */
  slow: ReadonlySignal<unknown>;
  /** Called before hosts are ordered by how near to an alert they are. */
  look: (hosts: readonly T[]) => void;
}

export interface Followed<T> {
  /** All hosts by their names. */
  byName: ReadonlySignal<readonly T[]>;
  shown: ReadonlySignal<readonly T[]>;
  /** Those that are shown, under their tags where that is asked for. */
  groups: ReadonlySignal<readonly Group<T>[]>;
  /** Every tag that a host has, and of how many. */
  tagCounts: ReadonlySignal<ReadonlyMap<string, number>>;
}

export function follow<T extends Candidate & Ordered & { name: string }>(asked: Asked<T>): Followed<T> {
  const { store, changed, judged, slow } = asked;

  let before: readonly T[] = [];
  /** Names are compared only where hosts come, go, or are called something else. */
  const byName = computed(() => {
    changed.value;
    const ids = store.ids.value;
    before = untracked(() =>
      renamed(
        before,
        ids.map((id) => asked.listed(store.entries.get(id) as Entry)),
      ),
    );
    return before;
  });

  const steadyOrder = steady<T>();
  const inOrder = computed(() => {
    const hosts = byName.value;
    const by = asked.sorts.value;
    judged.value;
    (followsSamples(by) ? slow : changed).value;
    return untracked(() => {
      if (by.some((one) => one.by === "worst")) asked.look(hosts);
      return steadyOrder(ordered(hosts, by));
    });
  });

  const steadyShown = steady<T>();
  const shown = computed(() => {
    const hosts = inOrder.value;
    const wanted = asked.standing.value;
    const found = asked.search.value;
    judged.value;
    (found.numeric ? slow : changed).value;
    return untracked(() =>
      steadyShown(hosts.filter((one) => (wanted === null || one.standing === wanted) && found.matches(one))),
    );
  });

  let groupsBefore: readonly Group<T>[] = [];
  const groups = computed(() => {
    const hosts = shown.value;
    const { value: grouping } = asked.grouping;
    if (grouping.kind !== "none") changed.value;
    groupsBefore = untracked(() => sameGroups(groupsBefore, grouped(hosts, grouping)));
    return groupsBefore;
  });

  let countsBefore: ReadonlyMap<string, number> = new Map();
  const tagCounts = computed(() => {
    const hosts = byName.value;
    changed.value;
    const counts = new Map<string, number>();
    for (const { tags } of hosts) for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
    if (!isSame([...counts].flat(), [...countsBefore].flat())) countsBefore = counts;
    return countsBefore;
  });

  return { byName, shown, groups, tagCounts };
}

const isSame = <T>(some: readonly T[], others: readonly T[]): boolean =>
  some.length === others.length && some.every((one, at) => one === others[at]);

/** Answers with the array that it answered with before as long as it would hold the same. */
function steady<T>(): (next: readonly T[]) => readonly T[] {
  let before: readonly T[] = [];
  return (next) => {
    if (!isSame(next, before)) before = next;
    return before;
  };
}

/** `next`, with every group of `before` in it that has the same name and hosts; `before` when all are the same. */
function sameGroups<T>(before: readonly Group<T>[], next: readonly Group<T>[]): readonly Group<T>[] {
  const named = new Map(before.map((group) => [group.name, group]));
  const groups = next.map((group) => {
    const known = named.get(group.name);
    return known && isSame(known.hosts, group.hosts) ? known : group;
  });
  return isSame(groups, before) ? before : groups;
}
