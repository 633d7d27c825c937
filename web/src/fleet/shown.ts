// Which hosts the fleet page shows, and in which order: what its address asks for, and nothing kept beside it.
//
// Hosts are not followed one by one: `changed` moves a few times a second, however many of them have changed.
import { computed } from "@preact/signals";
import { changed, counts, ruleBodies, rulesOf } from "../alerts/data.ts";
import type { Rule } from "../api/types.gen.ts";
import { fleet, known, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base, density } from "../preferences.ts";
import { query } from "../router.ts";
import { follow } from "./follow.ts";
import { parseGrouping, tagKeys } from "./grouping.ts";
import { type Listed, listed } from "./listed.ts";
import { parseSorts } from "./order.ts";
import { parseSearch } from "./search.ts";
import { STANDINGS, type Standing } from "./summary.ts";
import { metricsShown, parseColumns, parseHeat, parseView } from "./view.ts";
import { byMetric, held, nearest } from "./worst.ts";

export type { Listed } from "./listed.ts";

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
export const slow = computed(() => Math.floor(now.value / 5000));

/** Moves when something else makes hosts stand under another word, or counts as bad. */
export const judged = computed(() => [known.value, counts.value, ruleBodies.value]);

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

export const {
  byName: byNameNow,
  shown,
  groups,
  tagCounts,
} = follow<Listed>({
  store: fleet,
  listed,
  sorts,
  search,
  standing: asked,
  grouping,
  changed,
  judged,
  slow,
  look: lookNear,
});
/** What else than whole tags hosts can be grouped by. */
export const keys = computed(() => tagKeys(tagCounts.value.keys()));
