// Which hosts the fleet page shows, and in which order: what its address asks for, and nothing kept beside it.
import { computed, type ReadonlySignal } from "@preact/signals";
import { countsOf, standingOf } from "../alerts/data.ts";
import { fleet, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { query } from "../router.ts";
import { byName, followsSamples, type Ordered, ordered, parseSort } from "./order.ts";
import { type Candidate, parseSearch } from "./search.ts";
import { STANDINGS, type Standing, standing, summarise } from "./summary.ts";

export const searchText = computed(() => query.value.get("q") ?? "");
export const search = computed(() => parseSearch(searchText.value, base()));
export const sort = computed(() => parseSort(query.value.get("sort")));
/** The one standing to show; null for all. */
export const asked = computed<Standing | null>(() => {
  const show = query.value.get("show");
  return (STANDINGS as readonly (string | null)[]).includes(show) ? (show as Standing) : null;
});

/** Numbers move every second; an order that follows them moves every five, or nobody could read it. */
const slow = computed(() => Math.floor(now.value / 5000));

interface Listed extends Candidate, Ordered {
  entry: Entry;
  /** What it is called on the page. */
  name: string;
}

const calledAs = new WeakMap<Entry, ReadonlySignal<string>>();

/** A signal of its own, so that of all that is news of a host only another name changes the order of names. */
function nameOf(entry: Entry): ReadonlySignal<string> {
  const known = calledAs.get(entry) ?? computed(() => entry.host.value.label || entry.id);
  calledAs.set(entry, known);
  return known;
}

/** What is read of it is followed, so that an event about a host costs only what depends on it. */
const listed = (entry: Entry): Listed => ({
  id: entry.id,
  entry,
  get name() {
    return nameOf(entry).value;
  },
  get label() {
    return entry.host.value.label;
  },
  get hostname() {
    return entry.host.value.facts.hostname;
  },
  get tags() {
    return entry.host.value.tags;
  },
  get standing() {
    return standingOf(entry);
  },
  get lastStanding() {
    return standing(entry.host.value.state, countsOf(entry), true);
  },
  // Not followed: `slow` says when to look again.
  summary: () => summarise(entry.latest, entry.host.peek().facts.cores),
});

/** Names are compared only when hosts come or go, or are called something else. */
const named = computed(() => byName(fleet.ids.value.map((id) => listed(fleet.entries.get(id) as Entry))));

const inOrder = computed(() => {
  if (followsSamples(sort.value)) slow.value;
  return ordered(named.value, sort.value);
});

let before: readonly Entry[] = [];

/** The hosts to show; the same array as long as it would hold the same. */
export const shown = computed<readonly Entry[]>(() => {
  if (search.value.numeric) slow.value;
  const found = inOrder.value
    .filter((one) => (asked.value === null || one.standing === asked.value) && search.value.matches(one))
    .map((one) => one.entry);
  if (found.length !== before.length || found.some((entry, at) => entry !== before[at])) before = found;
  return before;
});
