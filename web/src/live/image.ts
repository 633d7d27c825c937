// A store as plain data, which the relay hands to a tab that just came or woke up.
import { batch } from "@preact/signals-core";
import type { Host, Processes, Values } from "../api/types.gen.ts";
import { type Entry, entryOf, forgetGone, noteTime, ring, type Store } from "./entries.ts";
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
  /** How many samples each instance has. */
  rings: [path: string, instances: [instance: string, count: number][]][];
  /** Of each instance in that order its times, then its values, NaN for null: one copy of memory to hand over. */
  samples: Float64Array;
}

/** Everything a store knows. */
export function imageOf(store: Store): StoreImage {
  const hosts = [...store.entries.values()].map(
    ({ host, latest, lastSample, stride_ms, processes, rings }): HostImage => ({
      host: host.peek(),
      latest: { ...latest },
      lastSample,
      stride_ms,
      processes,
      ...packed(rings),
    }),
  );
  return { offset_ms: store.offset_ms, hosts };
}

function packed(rings: Entry["rings"]): Pick<HostImage, "rings" | "samples"> {
  let size = 0;
  const counts = [...rings].map(([path, instances]): HostImage["rings"][number] => [
    path,
    [...instances].map(([instance, ring]) => {
      size += 2 * ring.kept;
      return [instance, ring.kept];
    }),
  ]);
  const samples = new Float64Array(size);
  let at = 0;
  for (const instances of rings.values())
    for (const ring of instances.values()) {
      const count = ring.kept;
      ring.pack(count, samples, at);
      at += 2 * count;
    }
  return { rings: counts, samples };
}

/** Takes an image as a snapshot: it says what there is. Samples that are here already stay. */
export function applyImage(store: Store, image: StoreImage): void {
  batch(() => {
    store.gathered = null;
    store.offset_ms = image.offset_ms;
    keepOnly(store, new Set(image.hosts.map(({ host }) => host.id)));
    for (const { host, latest, lastSample, stride_ms, processes, rings, samples } of image.hosts) {
      // What the gateway said of the host may be of long ago; its values are those that the image has beside it.
      const entry = entryOf(store, host);
      entry.processes ??= processes;
      if (lastSample !== null) noteTime(entry, lastSample);
      if ((lastSample ?? 0) >= (entry.lastSample ?? 0)) Object.assign(entry, { latest, lastSample, stride_ms });
      forgetGone(store, entry);
      let at = 0;
      for (const [path, instances] of rings)
        for (const [instance, count] of instances) {
          ring(store, entry, path, instance).merge(count, samples, at);
          at += 2 * count;
        }
    }
    listIds(store);
    store.snapshots.value += 1;
  });
}
