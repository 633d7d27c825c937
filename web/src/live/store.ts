// What the live stream has told: one entry a host, changed in place, painted at most once a frame of the screen.
//
// A sample changes plain data and marks its host; the signals that components read move together in the next animation
// frame. A hidden tab gets no animation frames, so it paints nothing and loses nothing. The relay, which may run in a worker,
// keeps the same store without painting it, and hands images of it to tabs.
import { batch, type Signal, signal } from "@preact/signals-core";
import type { Frame, Gone, Host, LiveSample, Processes, Snapshot, Values } from "../api/types.gen.ts";
import { Ring } from "../charts/ring.ts";

/**
 * A host as components see it: the parts that seldom change are in `host`, the rest is changed in place and moves with
 * `tick`. A component that reads the rest must read `tick`: with the same properties it is not rendered again otherwise.
 */
export interface Entry {
  readonly id: string;
  readonly host: Signal<Host>;
  /** Moves when samples have come. */
  readonly tick: Signal<number>;
  /** Latest values by family, instance, metric. */
  latest: Values;
  /** Sample time of the newest sample, Unix milliseconds. */
  lastSample: number | null;
  /** How far the newest sample moved on with the last frame: 1 s for a host that sends live, a batch's length otherwise. */
  stride_ms: number | null;
  /** The processes that use most, as told last; null before. */
  processes: Processes | null;
  /** Recent samples by metric path, then instance. */
  readonly rings: Map<string, Map<string, Ring>>;
}

export interface Store {
  readonly entries: Map<string, Entry>;
  /** Ids of all hosts, ascending; a new array only when hosts came or went. */
  readonly ids: Signal<readonly string[]>;
  /** Ids of hosts whose removal was told here, as long as none of that name is back. */
  readonly removed: Signal<ReadonlySet<string>>;
  /** Number of whole snapshots so far; 0 until the first. */
  readonly snapshots: Signal<number>;
  /** Moves when hosts came, went or are otherwise than before (state, tags, facts), at most once a frame of the screen. */
  readonly news: Signal<number>;
  /** Ids of the hosts that a snapshot has named of which more is to come; null while none comes. */
  gathered: Set<string> | null;
  /** Server time minus browser time, milliseconds: the largest seen on this connection is the one with the least delay. */
  offset_ms: number;
  readonly keep_ms: number;
  readonly dirty: Set<Entry>;
  /** What the next paint will tell. */
  readonly due: { news: boolean; paint: boolean };
  readonly paintSoon: (paint: () => void) => void;
}

/** A store as plain data, to hand to another thread. */
export interface StoreImage {
  /** Server time minus browser time, which is the same for all threads of a browser. */
  offset_ms: number;
  hosts: HostImage[];
}

/** Name of the event after which a snapshot begins anew. A new connection counts as one. */
export const RESYNC = "resync";
/** Name of an event whose data are hosts that were fetched over REST. */
export const POLLED = "polled";
/** Name of the event that tells which processes of a host use most. */
export const PROCESSES = "processes";

interface HostImage {
  host: Host;
  latest: Values;
  lastSample: number | null;
  stride_ms: number | null;
  processes: Processes | null;
  rings: [path: string, instances: [instance: string, times: number[], values: (number | null)[]][]][];
}

export function createStore(
  keep_ms: number,
  paintSoon: (paint: () => void) => void = (paint) => requestAnimationFrame(paint),
): Store {
  return {
    entries: new Map(),
    ids: signal<readonly string[]>([]),
    removed: signal<ReadonlySet<string>>(new Set()),
    snapshots: signal(0),
    news: signal(0),
    gathered: null,
    offset_ms: Number.NEGATIVE_INFINITY,
    keep_ms,
    dirty: new Set(),
    due: { news: false, paint: false },
    paintSoon,
  };
}

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
    store.removed.value = new Set([...store.removed.peek(), host]);
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
    if (entry.lastSample !== last) entry.stride_ms = (entry.lastSample ?? last) - last;
}

/** How much later than the fastest frame of this connection a frame of server time `time` arrives at `now`. */
export const lateness = (store: Store, time: number, now: number): number =>
  Number.isFinite(store.offset_ms) ? Math.max(0, now + store.offset_ms - time) : 0;

function keepOnly(store: Store, named: ReadonlySet<string>): void {
  for (const id of store.entries.keys()) if (!named.has(id)) store.entries.delete(id);
}

function put(store: Store, host: Host): Entry {
  let entry = store.entries.get(host.id);
  if (entry) {
    entry.host.value = host;
  } else {
    entry = {
      id: host.id,
      host: signal(host),
      tick: signal(0),
      latest: {},
      lastSample: null,
      stride_ms: null,
      processes: null,
      rings: new Map(),
    };
    store.entries.set(host.id, entry);
  }
  if (host.last_sample !== null && host.last_sample >= (entry.lastSample ?? 0)) {
    for (const [family, instances] of Object.entries(host.latest)) entry.latest[family] = instances;
    entry.lastSample = host.last_sample;
  }
  forgetGone(store, entry);
  store.due.news = true;
  mark(store, entry);
  return entry;
}

/** Drops what is remembered of instances that are gone, such as an interface of long ago. */
function forgetGone(store: Store, entry: Entry): void {
  const oldest = (entry.lastSample ?? 0) - store.keep_ms;
  for (const instances of entry.rings.values())
    for (const [instance, { times }] of instances) if ((times.at(-1) ?? 0) < oldest) instances.delete(instance);
}

function take(store: Store, entry: Entry, sample: LiveSample): void {
  const newest = sample.time >= (entry.lastSample ?? 0);
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

function ring(store: Store, entry: Entry, path: string, instance: string): Ring {
  let instances = entry.rings.get(path);
  if (!instances) {
    instances = new Map();
    entry.rings.set(path, instances);
  }
  let found = instances.get(instance);
  if (!found) {
    found = new Ring(store.keep_ms);
    instances.set(instance, found);
  }
  return found;
}

/** Some hosts are not the fleet: they are shown when all have come. */
const isBeginning = (store: Store): boolean => store.gathered !== null && store.snapshots.peek() === 0;

/** Lists one host more, in its place: a thousand that come one by one are not sorted a thousand times. */
function listId(store: Store, id: string): void {
  if (isBeginning(store)) return;
  if (store.removed.peek().has(id))
    store.removed.value = new Set([...store.removed.peek()].filter((gone) => gone !== id));
  const ids = store.ids.peek();
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] as string) < id) low = middle + 1;
    else high = middle;
  }
  if (ids[low] !== id) store.ids.value = ids.toSpliced(low, 0, id);
}

function listIds(store: Store): void {
  if (isBeginning(store)) return;
  store.due.news = true;
  soon(store);
  const ids = [...store.entries.keys()].sort();
  if (ids.some((id) => store.removed.peek().has(id)))
    store.removed.value = new Set([...store.removed.peek()].filter((id) => !store.entries.has(id)));
  if (ids.length !== store.ids.peek().length || ids.some((id, at) => id !== store.ids.peek()[at]))
    store.ids.value = ids;
}

function mark(store: Store, entry: Entry): void {
  store.dirty.add(entry);
  soon(store);
}

function soon(store: Store): void {
  if (store.due.paint) return;
  store.due.paint = true;
  store.paintSoon(() => paint(store));
}

function paint(store: Store): void {
  const entries = [...store.dirty];
  const { news } = store.due;
  store.dirty.clear();
  store.due.paint = store.due.news = false;
  batch(() => {
    if (news) store.news.value += 1;
    for (const entry of entries) entry.tick.value += 1;
  });
}

/** Server time now; browser time until the server has told its own. */
export function serverNow(store: Store, now: number): number {
  return Number.isFinite(store.offset_ms) ? now + store.offset_ms : now;
}
