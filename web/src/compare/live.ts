// The live samples of the hosts that are compared: they go on where what is stored ends.
import { computed, type ReadonlySignal, untracked } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Ring } from "../charts/ring.ts";
import type { Rings } from "../charts/timeline.ts";
import { follow, now } from "../live/session.ts";
import type { Store } from "../live/store.ts";
import { type Line, togetherAt } from "./lines.ts";

export interface Followed {
  /** Where a live window ends: where the newest samples are of all that send. */
  edge: ReadonlySignal<number>;
  /** The same from what has come, painted or not. */
  latest: () => number;
  /** Moves when samples may have been missed: the page was hidden or the stream away, and is back. */
  missed: ReadonlySignal<number>;
  /** The live samples of `lines`, by what they are called. */
  rings: (metric: string, lines: readonly Line[]) => Rings;
}

/** Where nobody is followed, time goes on all the same, but not with every second. */
const STILL_MS = 10_000;

type Details = ReadonlyMap<string, { store: Store }>;

/** Where the newest samples are of hosts that are up, or the present. */
function edgeOf(details: Details): number {
  const times = [...details].flatMap(([id, { store }]) => {
    const entry = store.ids.value.includes(id) ? store.entries.get(id) : undefined;
    entry?.tick.value;
    return entry?.host.value.state === "up" && entry.lastSample !== null ? [entry.lastSample] : [];
  });
  return togetherAt(times) ?? Math.floor(now.value / STILL_MS) * STILL_MS;
}

/** Follows `hosts`, given as one text so that the same ones are not followed anew. */
export function useFollowed(hosts: string): Followed {
  const details = useMemo(() => new Map((hosts ? hosts.split(",") : []).map((id) => [id, follow(id)])), [hosts]);
  useEffect(
    () => () => {
      for (const { release } of details.values()) release();
    },
    [details],
  );
  return useMemo(
    () => ({
      edge: computed(() => edgeOf(details)),
      latest: () => untracked(() => edgeOf(details)),
      // The first image of each is where following begins.
      missed: computed(() =>
        [...details.values()].reduce((sum, { store }) => sum + Math.max(1, store.snapshots.value), 0),
      ),
      rings: (metric, lines) => {
        const found = new Map<string, Ring>();
        for (const { host, instance, name } of lines) {
          const ring = details.get(host)?.store.entries.get(host)?.rings.get(metric)?.get(instance);
          if (ring) found.set(name, ring);
        }
        return new Map([[metric, found]]);
      },
    }),
    [details],
  );
}
