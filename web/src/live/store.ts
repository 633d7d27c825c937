// What the live stream has told: one entry a host, changed in place, painted at most once a frame of the screen.
//
// A sample changes plain data and marks its host; the signals that components read move together in the next animation
// frame. A hidden tab gets no animation frames, so it paints nothing and loses nothing. The relay, which may run in a worker,
// keeps the same store without painting it, and hands images of it to tabs.
import { batch } from "@preact/signals-core";
import type { Frame, Gone, Host, LiveSample, Processes, Snapshot } from "../api/types.gen.ts";
import { type Entry, forgetGone, mark, noteTime, put, ring, type Store, soon } from "./entries.ts";
import { isBeginning, keepOnly, listId, listIds } from "./listing.ts";

export { createStore, type Entry, lateness, type Store, serverNow } from "./entries.ts";
export { applyImage, imageOf, type StoreImage } from "./image.ts";

/** Name of the event after which a snapshot begins anew. A new connection counts as one. */
export const RESYNC = "resync";
/** Name of an event whose data are hosts that were fetched over REST. */
export const POLLED = "polled";
/** Name of the event that tells which processes of a host use most. */
export const PROCESSES = "processes";

/** So many removed hosts are remembered, the newest: fleets that scale by themselves remove hosts for ever. */
const MOST_REMOVED = 1000;

/** Takes a snapshot: it says what there is, so hosts it does not name are gone. */
export function applySnapshot(store: Store, snapshot: Snapshot, now: number): void {
  batch(() => {
    // Anew with each connection: the browser's own clock may have been set meanwhile.
    store.offset_ms = snapshot.time - now;
    keepOnly(store, new Set(snapshot.hosts.map((host) => host.id)));
    for (const host of snapshot.hosts) {
      const entry = put(store, host);
      const history = snapshot.history[host.id];
      if (history) fill(store, entry, history);
    }
    listIds(store);
    store.snapshots.value += 1;
  });
}

/** Takes some hosts of a snapshot that comes in portions. Which hosts there are is known when it is complete. */
export function applyPortion(store: Store, portion: Snapshot, now: number): void {
  batch(() => {
    if (!store.gathered) {
      store.gathered = new Set();
      // Anew with each snapshot: the browser's own clock may have been set meanwhile.
      store.offset_ms = portion.time - now;
    }
    for (const host of portion.hosts) {
      store.gathered.add(host.id);
      const entry = put(store, host);
      const history = portion.history[host.id];
      if (history) fill(store, entry, history);
    }
  });
}

/** Takes the end of a snapshot: hosts that were not named since it began are gone. */
export function applyComplete(store: Store): void {
  if (!store.gathered) return;
  const named = store.gathered;
  store.gathered = null;
  batch(() => {
    keepOnly(store, named);
    listIds(store);
    store.snapshots.value += 1;
  });
}

/** Applies an event about hosts; false when it is about something else. */
export function applyEvent(store: Store, name: string, data: unknown, now: number): boolean {
  if (name === "frame") applyFrame(store, data as Frame, now);
  else if (name === "snapshot") applyPortion(store, data as Snapshot, now);
  else if (name === "complete") applyComplete(store);
  else if (name === RESYNC) store.gathered = null;
  else if (name === "host") applyHost(store, data as Host);
  else if (name === "gone") applyGone(store, data as Gone);
  else if (name === PROCESSES) applyProcesses(store, data as Processes);
  else if (name === POLLED) applyPolled(store, data as Host[]);
  else return false;
  return true;
}

/** Takes all hosts as they were fetched. Unlike a snapshot it has no past, and says nothing about what was missed. */
export function applyPolled(store: Store, hosts: readonly Host[]): void {
  batch(() => {
    keepOnly(store, new Set(hosts.map((host) => host.id)));
    for (const host of hosts) put(store, host);
    listIds(store);
    if (store.snapshots.peek() === 0) store.snapshots.value = 1;
  });
}

/** Takes the event `host`: a new host, or one whose state or facts changed. */
export function applyHost(store: Store, host: Host): void {
  batch(() => {
    store.gathered?.add(host.id);
    put(store, host);
    listId(store, host.id);
  });
}

function applyProcesses(store: Store, told: Processes): void {
  const entry = store.entries.get(told.host);
  if (!entry) return;
  entry.processes = told;
  mark(store, entry);
}

/** Takes the event `gone`: a host was removed. What may still come of it is of a host that nothing has named. */
export function applyGone(store: Store, { host }: Gone): void {
  batch(() => {
    store.entries.delete(host);
    store.gathered?.delete(host);
    store.removed.value = new Set([...store.removed.peek(), host].slice(-MOST_REMOVED));
    store.due.news = true;
    soon(store);
    if (!isBeginning(store)) store.ids.value = store.ids.peek().filter((id) => id !== host);
  });
}

/** Takes a frame of samples. A sample of a host that no snapshot or event has named waits for one and is passed over. */
export function applyFrame(store: Store, frame: Frame, now: number): void {
  store.offset_ms = Math.max(store.offset_ms, frame.time - now);
  const before = new Map<Entry, number>();
  for (const sample of frame.samples) {
    const entry = store.entries.get(sample.host);
    if (!entry) continue;
    if (entry.lastSample !== null && !before.has(entry)) before.set(entry, entry.lastSample);
    take(store, entry, sample);
  }
  for (const [entry, last] of before)
    if ((entry.lastSample ?? last) > last) entry.stride_ms = (entry.lastSample ?? last) - last;
}

/** How often it is looked for instances that are gone. */
const FORGET_MS = 60_000;

function take(store: Store, entry: Entry, sample: LiveSample): void {
  noteTime(entry, sample.time);
  const newest = sample.time >= (entry.lastSample ?? 0);
  // No other event comes of a host that is well, however many of its containers come and go.
  if (Math.floor(sample.time / FORGET_MS) > Math.floor((entry.lastSample ?? 0) / FORGET_MS)) forgetGone(store, entry);
  if (newest) entry.lastSample = sample.time;
  for (const [family, instances] of Object.entries(sample.families)) {
    if (newest) entry.latest[family] = instances;
    for (const [instance, metrics] of Object.entries(instances))
      for (const [name, value] of Object.entries(metrics))
        ring(store, entry, `${family}.${name}`, instance).push(sample.time, value);
  }
  mark(store, entry);
}

/** Fills rings from a snapshot's history. Nulls there are times at which the family was not sampled, or unknown. */
function fill(store: Store, entry: Entry, history: Record<string, unknown>): void {
  const times = history.times as number[];
  for (const [path, instances] of Object.entries(history)) {
    if (path === "times") continue;
    for (const [instance, values] of Object.entries(instances as Record<string, (number | null)[]>)) {
      const target = ring(store, entry, path, instance);
      values.forEach((value, at) => {
        if (value !== null) target.push(times[at] as number, value);
      });
    }
  }
}
