// The live samples of the hosts that are compared: they go on where what is stored ends.
import { computed, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Ring } from "../charts/ring.ts";
import type { Rings } from "../charts/timeline.ts";
import { follow, now } from "../live/session.ts";
import type { Store } from "../live/store.ts";
import type { Line } from "./lines.ts";

export interface Followed {
  /** Where a live window ends: where the newest samples are of all that send. */
  edge: ReadonlySignal<number>;
  /** The live samples of `lines`, by what they are called. */
  rings: (metric: string, lines: readonly Line[]) => Rings;
}

/** Where nobody is followed, time goes on all the same, but not with every second. */
const STILL_MS = 10_000;
/** A host that is so much behind the others does not hold them up. */
const LATE_MS = 15_000;

type Details = ReadonlyMap<string, { store: Store }>;

/** The oldest of the newest samples of hosts that are up; null where none is. */
function newestOf(details: Details): number | null {
  const times = [...details].flatMap(([id, { store }]) => {
    const entry = store.ids.value.includes(id) ? store.entries.get(id) : undefined;
    entry?.tick.value;
    return entry?.host.value.state === "up" && entry.lastSample !== null ? [entry.lastSample] : [];
  });
  const newest = Math.max(...times);
  return times.length > 0 ? Math.min(...times.filter((time) => time > newest - LATE_MS)) : null;
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
  const edge = useMemo(
    () => computed(() => newestOf(details) ?? Math.floor(now.value / STILL_MS) * STILL_MS),
    [details],
  );
  return useMemo(
    () => ({
      edge,
      rings: (metric, lines) => {
        const found = new Map<string, Ring>();
        for (const { host, instance, name } of lines) {
          const ring = details.get(host)?.store.entries.get(host)?.rings.get(metric)?.get(instance);
          if (ring) found.set(name, ring);
        }
        return new Map([[metric, found]]);
      },
    }),
    [details, edge],
  );
}
