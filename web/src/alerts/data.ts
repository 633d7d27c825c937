// Rules and active alerts as the gateway has them, fetched again when the stream says that they changed.
import { computed, effect, signal, untracked } from "@preact/signals";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { ActiveAlert, AlertCounts, Alerts, Rule, Rules, StoredRule, UnreadableRule } from "../api/types.gen.ts";
import { type Standing, standing } from "../fleet/summary.ts";
import { fleet, known, polls, settingChange, transition } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { ofHost } from "./thresholds.ts";

/** Rules that are stored and cannot be read, so that they are not judged. */
export const unreadable = signal<readonly UnreadableRule[]>([]);
/** Rules that are on and make no sense here, so that they are not judged either. */
export const notJudged = signal<readonly UnreadableRule[]>([]);
export const rules = loader<StoredRule[]>(async (asked) => {
  const got = await get<Rules>("/rules", asked);
  unreadable.value = got.unreadable;
  notJudged.value = got.not_judged;
  return got.rules;
});
/** Alerts that are not over. */
export const active = loader<ActiveAlert[]>(
  async (signal) => (await get<Alerts>("/alerts?state=active", signal)).active,
);
export const ruleBodies = computed<readonly Rule[]>(() => rules.state.value.value?.map((stored) => stored.rule) ?? []);
/** The rules that are about a host, as they are for it. */
export const rulesOf = (entry: Entry): readonly Rule[] => ofHost(ruleBodies.value, entry.id, entry.host.value.tags);
const activeNow = computed(() => active.state.value.value);

const NONE: AlertCounts = { warning: 0, critical: 0 };

/** Alerts that fire, by host; moves when that is asked for anew. */
export const counts = computed(() => {
  const byHost = new Map<string, AlertCounts>();
  for (const alert of activeNow.value ?? []) {
    if (alert.state !== "firing" && alert.state !== "recovering") continue;
    const count = byHost.get(alert.host) ?? { ...NONE };
    count[alert.severity] += 1;
    byHost.set(alert.host, count);
  }
  return byHost;
});

/** How many alerts of each severity fire on a host: the list when it is there, what the host's item said before. */
export function countsOf(entry: Entry): AlertCounts {
  return activeNow.value === null ? entry.host.value.alerts : (counts.value.get(entry.id) ?? NONE);
}

export const standingOf = (entry: Entry): Standing => standing(entry.host.value.state, countsOf(entry), known.value);

/**
 * Moves when hosts are otherwise than before, at once and then with as many of a storm's news as can be read. Not every host
 * is followed by itself.
 */
export const changed = signal(0);

/** How many hosts stand under each word. */
export const tally = computed(() => {
  fleet.ids.value;
  changed.value;
  known.value;
  counts.value;
  return untracked(tallied);
});

function tallied(): Record<Standing, number> {
  const result: Record<Standing, number> = {
    critical: 0,
    offline: 0,
    warning: 0,
    late: 0,
    unknown: 0,
    up: 0,
    archived: 0,
  };
  for (const id of fleet.ids.value) result[standingOf(fleet.entries.get(id) as Entry)] += 1;
  return result;
}

/** A storm of news is acted on at its beginning, and once each such time while it lasts. */
const SOON_MS = 250;
/** The same for what is larger and less urgent: what was, and why. */
export const STORM_MS = 2000;

/** `act`, at once and then not more often than that; the last call of a storm is never lost. */
function throttled(act: () => void, rest_ms: number = SOON_MS): () => void {
  let resting = false;
  let again = false;
  return function run() {
    again = resting;
    if (resting) return;
    resting = true;
    act();
    setTimeout(() => {
      resting = false;
      if (again) run();
    }, rest_ms);
  };
}

const tellChanged = throttled(() => {
  changed.value += 1;
});
effect(() => {
  fleet.news.value;
  untracked(tellChanged);
});

/**
 * Runs `act` now, with each snapshot of the stream, and when the stream says that what is stored under one of `keys`
 * changed: under `telling`, that people were told of something, or that a channel is held, or no more.
 */
export function withSettings(keys: readonly string[], act: () => void): () => void {
  return both(
    effect(() => {
      fleet.snapshots.value;
      untracked(act);
    }),
    effect(() => {
      if (keys.includes(settingChange.value?.key ?? "")) untracked(act);
    }),
  );
}

/**
 * Runs `act` now, with each snapshot of the stream, with each transition, and when somebody acknowledges; but not with
 * every one of a storm.
 */
export function withNews(act: () => void, rest_ms: number = SOON_MS): () => void {
  let open = true;
  const run = throttled(() => open && act(), rest_ms);
  const stop = both(
    effect(() => {
      fleet.snapshots.value;
      polls.value;
      transition.value;
      untracked(run);
    }),
    effect(() => {
      if (settingChange.value?.key === "incidents") untracked(run);
    }),
  );
  return () => {
    open = false;
    stop();
  };
}

function both(one: () => void, other: () => void): () => void {
  return () => {
    one();
    other();
  };
}

/**
 * Fetches at once, whatever becomes of the stream, and with each of its snapshots; active alerts also with each transition.
 * With the first snapshot, too: what changed between the page's first request and the stream's beginning, no event tells.
 */
export function startAlerts(): void {
  withSettings(["rules"], rules.refresh);
  withNews(active.refresh);
}
