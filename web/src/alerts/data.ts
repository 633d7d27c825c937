// Rules and active alerts as the gateway has them, fetched again when the stream says that they changed.
import { computed, effect, signal } from "@preact/signals";
import { Failure, get } from "../api/client.ts";
import type { ActiveAlert, AlertCounts, Alerts, Rule, Rules, StoredRule } from "../api/types.gen.ts";
import { type Standing, standing } from "../fleet/summary.ts";
import { fleet, settingChange, transition } from "../live/session.ts";
import type { Entry } from "../live/store.ts";

export const rules = signal<StoredRule[] | null>(null);
export const active = signal<ActiveAlert[] | null>(null);

export const ruleBodies = computed<readonly Rule[]>(() => rules.value?.map((stored) => stored.rule) ?? []);

const NONE: AlertCounts = { warning: 0, critical: 0 };

/** Alerts that fire, by host. */
const counts = computed(() => {
  const byHost = new Map<string, AlertCounts>();
  for (const alert of active.value ?? []) {
    if (alert.state !== "firing" && alert.state !== "recovering") continue;
    const count = byHost.get(alert.host) ?? { ...NONE };
    count[alert.severity] += 1;
    byHost.set(alert.host, count);
  }
  return byHost;
});

/** How many alerts of each severity fire on a host: the list when it is there, what the host's item said before. */
export function countsOf(entry: Entry): AlertCounts {
  return active.value === null ? entry.host.value.alerts : (counts.value.get(entry.id) ?? NONE);
}

export const standingOf = (entry: Entry): Standing => standing(entry.host.value.state, countsOf(entry));

/** How many hosts stand under each word. */
export const tally = computed(() => {
  const result: Record<Standing, number> = { critical: 0, offline: 0, warning: 0, late: 0, up: 0 };
  for (const id of fleet.ids.value) result[standingOf(fleet.entries.get(id) as Entry)] += 1;
  return result;
});

export async function loadRules(): Promise<void> {
  rules.value = (await get<Rules>("/rules")).rules;
}

export async function loadActive(): Promise<void> {
  active.value = (await get<Alerts>("/alerts?state=active")).active;
}

/** Fetches at each new connection of the stream, and the active alerts after each transition. */
export function startAlerts(): void {
  effect(() => {
    if (fleet.snapshots.value > 0) quietly(loadRules);
  });
  effect(() => {
    if (settingChange.value?.key === "rules") quietly(loadRules);
  });
  let waiting = false;
  effect(() => {
    if ((fleet.snapshots.value === 0 && transition.value === null) || waiting) return;
    waiting = true;
    // A storm of transitions is one fetch.
    setTimeout(() => {
      waiting = false;
      quietly(loadActive);
    }, 250);
  });
}

/** A failed background fetch keeps what is there; the stream's state tells people that the gateway is away. */
function quietly(load: () => Promise<void>): void {
  load().catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
  });
}
