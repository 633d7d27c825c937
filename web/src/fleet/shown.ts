// Which hosts the fleet page shows, and in which order: what its address asks for, and nothing kept beside it.
//
// Hosts are not followed one by one: `fleet.news` moves at most once a frame, however many of them have changed.
import { computed, untracked } from "@preact/signals";
import { counts, countsOf, ruleBodies, rulesOf, standingOf } from "../alerts/data.ts";
import type { Rule } from "../api/types.gen.ts";
import { fleet, known, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base, density } from "../preferences.ts";
import { query } from "../router.ts";
import { type Group, grouped, parseGrouping, tagKeys } from "./grouping.ts";
import { followsSamples, type Ordered, ordered, parseSorts, renamed } from "./order.ts";
import { reading } from "./readings.ts";
import { type Candidate, parseSearch } from "./search.ts";
import { STANDINGS, type Standing, standing, summarise } from "./summary.ts";
import { metricsShown, parseColumns, parseHeat, parseView } from "./view.ts";
import { byMetric, held, nearest } from "./worst.ts";

/** An entry of the address; moves only when it does. */
export const parameter = (name: string) => computed(() => query.value.get(name));

const [q, sortAsked, showAsked, viewAsked, colsAsked, groupAsked, heatAsked] = [
  parameter("q"),
  parameter("sort"),
  parameter("show"),
  parameter("view"),
  parameter("cols"),
  parameter("group"),
  parameter("metric"),
];

export const searchText = computed(() => q.value ?? "");
export const search = computed(() => parseSearch(searchText.value, base()));
export const sorts = computed(() => parseSorts(sortAsked.value));
export const view = computed(() => parseView(viewAsked.value));
export const columns = computed(() => parseColumns(colsAsked.value));
export const grouping = computed(() => parseGrouping(groupAsked.value));
export const heatMetric = computed(() => parseHeat(heatAsked.value));
/** As the address asks, else as it is preferred. */
const densityShown = computed(() => query.value.get("density") ?? density.value);
export const isCompact = computed(() => densityShown.value === "compact");
export const hasSparks = computed(() => query.value.get("spark") !== "0");
/** The one standing to show; null for all. */
export const asked = computed<Standing | null>(() => {
  const show = showAsked.value;
  return (STANDINGS as readonly (string | null)[]).includes(show) ? (show as Standing) : null;
});
/** Metrics that are shown of every host. */
export const metrics = computed(() => metricsShown(view.value, columns.value, heatMetric.value));

/** Numbers move every second; an order that follows them moves every five, or nobody could read it. */
const slow = computed(() => Math.floor(now.value / 5000));

export interface Listed extends Candidate, Ordered {
  readonly entry: Entry;
  /** What it is called on the page. */
  readonly name: string;
  near: number;
}

const kept = new WeakMap<Entry, Listed>();

function listed(entry: Entry): Listed {
  const name = entry.host.peek().label || entry.id;
  const before = kept.get(entry);
  if (before?.name === name) return before;
  const made: Listed = {
    id: entry.id,
    entry,
    name,
    near: before?.near ?? 0,
    get label() {
      return entry.host.peek().label;
    },
    get hostname() {
      return entry.host.peek().facts.hostname;
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
  kept.set(entry, made);
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

let before: readonly Listed[] = [];

/** All hosts by their names, which are compared only where hosts come, go, or are called something else. */
export const byNameNow = computed(() => {
  fleet.news.value;
  before = untracked(() =>
    renamed(
      before,
      fleet.ids.value.map((id) => listed(fleet.entries.get(id) as Entry)),
    ),
  );
  return before;
});

let looked: { at: number; rules: readonly Rule[] } = { at: -1, rules: [] };
const sortedRules = new WeakMap<readonly Rule[], ReturnType<typeof byMetric>>();

/** Of hosts that no rule tells apart the same. */
function rulesAbout(entry: Entry): ReturnType<typeof byMetric> {
  const rules = rulesOf(entry);
  const found = sortedRules.get(rules) ?? byMetric(rules);
  sortedRules.set(rules, found);
  return found;
}

/** How near each host is to an alert, looked at as often as the order follows samples. */
function lookNear(hosts: readonly Listed[]): void {
  const by = { at: slow.value, rules: ruleBodies.value };
  if (looked.at === by.at && looked.rules === by.rules) return;
  looked = by;
  for (const host of hosts) host.near = held(host.near, nearest(rulesAbout(host.entry), host.id, host.entry.latest));
}

const inOrder = computed(() => {
  const hosts = byNameNow.value;
  const by = sorts.value;
  counts.value;
  ruleBodies.value;
  if (followsSamples(by)) slow.value;
  return untracked(() => {
    if (by.some((one) => one.by === "worst")) lookNear(hosts);
    return ordered(hosts, by);
  });
});

let lastShown: readonly Listed[] = [];

/** The hosts to show; the same array as long as it would hold the same. */
export const shown = computed<readonly Listed[]>(() => {
  const hosts = inOrder.value;
  const wanted = asked.value;
  const found = search.value;
  known.value;
  if (found.numeric) slow.value;
  const next = untracked(() =>
    hosts.filter((one) => (wanted === null || one.standing === wanted) && found.matches(one)),
  );
  if (next.length !== lastShown.length || next.some((host, at) => host !== lastShown[at])) lastShown = next;
  return lastShown;
});

/** The hosts to show, under their tags where the address asks for that. */
export const groups = computed<readonly Group<Listed>[]>(() => {
  if (grouping.value.kind !== "none") fleet.news.value;
  return grouped(shown.value, grouping.value);
});

/** Every tag that a host has, and of how many. */
export const tagCounts = computed<ReadonlyMap<string, number>>(() => {
  const found = new Map<string, number>();
  for (const host of byNameNow.value) for (const tag of host.tags) found.set(tag, (found.get(tag) ?? 0) + 1);
  return found;
});
/** What else than whole tags hosts can be grouped by. */
export const keys = computed(() => tagKeys(tagCounts.value.keys()));
