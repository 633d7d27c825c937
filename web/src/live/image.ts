// A store as plain data, which the relay hands to a tab that just came or woke up.
import { batch } from "@preact/signals-core";
import type { Host, Processes, Values } from "../api/types.gen.ts";
import { put, ring, type Store } from "./entries.ts";
import { keepOnly, listIds } from "./listing.ts";

/** A store as plain data, to hand to another thread. */
export interface StoreImage {
  /** Server time minus browser time, which is the same for all threads of a browser. */
  offset_ms: number;
  hosts: HostImage[];
}

interface HostImage {
  host: Host;
  latest: Values;
  lastSample: number | null;
  stride_ms: number | null;
  processes: Processes | null;
  rings: [path: string, instances: [instance: string, times: number[], values: (number | null)[]][]][];
}

/** Everything a store knows. */
export function imageOf(store: Store): StoreImage {
  const hosts = [...store.entries.values()].map(
    ({ host, latest, lastSample, stride_ms, processes, rings }): HostImage => ({
      host: host.peek(),
      latest,
      lastSample,
      stride_ms,
      processes,
      rings: [...rings].map(([path, instances]) => [
        path,
        [...instances].map(([instance, { times, values }]) => [instance, times, values]),
      ]),
    }),
  );
  return { offset_ms: store.offset_ms, hosts };
}

/** Takes an image as a snapshot: it says what there is. Samples that are here already stay. */
export function applyImage(store: Store, image: StoreImage): void {
  batch(() => {
    store.gathered = null;
    store.offset_ms = image.offset_ms;
    keepOnly(store, new Set(image.hosts.map(({ host }) => host.id)));
    for (const { host, latest, lastSample, stride_ms, processes, rings } of image.hosts) {
      const entry = put(store, host);
      entry.processes ??= processes;
      if ((lastSample ?? 0) >= (entry.lastSample ?? 0)) Object.assign(entry, { latest, lastSample, stride_ms });
      for (const [path, instances] of rings)
        for (const [instance, times, values] of instances) {
          const target = ring(store, entry, path, instance);
          times.forEach((time, at) => {
            target.push(time, values[at] ?? null);
          });
        }
    }
    listIds(store);
    store.snapshots.value += 1;
  });
}
