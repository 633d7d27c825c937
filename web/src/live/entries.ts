// What is kept of hosts: one entry a host, changed in place, painted at most once a frame of the screen.
import { batch, type Signal, signal } from "@preact/signals-core";
import type { Host, Processes, Values } from "../api/types.gen.ts";
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

/** How much later than the fastest frame of this connection a frame of server time `time` arrives at `now`. */
export const lateness = (store: Store, time: number, now: number): number =>
  Number.isFinite(store.offset_ms) ? Math.max(0, now + store.offset_ms - time) : 0;

/** The gateway tells no sample that is so much older than a host's newest one, unless the host's clock was set back. */
const SET_BACK_MS = 60_000;

/** Notes that `time` was told of a host: after its clock was set back, what is known of its past is of times to come. */
export function noteTime(entry: Entry, time: number): void {
  if (entry.lastSample === null || time >= entry.lastSample - SET_BACK_MS) return;
  entry.lastSample = entry.stride_ms = null;
  entry.rings.clear();
}

/** The entry of a host, with what the gateway says of it but its values. */
export function entryOf(store: Store, host: Host): Entry {
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
  store.due.news = true;
  mark(store, entry);
  return entry;
}

/** Takes a host as the gateway tells it. What that does not have of its latest values is gone, such as a GPU's. */
export function put(store: Store, host: Host): Entry {
  const entry = entryOf(store, host);
  if (host.last_sample !== null) {
    noteTime(entry, host.last_sample);
    if (host.last_sample >= (entry.lastSample ?? 0)) {
      entry.latest = { ...host.latest };
      entry.lastSample = host.last_sample;
    }
  }
  forgetGone(store, entry);
  return entry;
}

/** Drops what is remembered of instances that are gone, such as an interface of long ago. */
export function forgetGone(store: Store, entry: Entry): void {
  const oldest = (entry.lastSample ?? 0) - store.keep_ms;
  for (const instances of entry.rings.values())
    for (const [instance, { times }] of instances) if ((times.at(-1) ?? 0) < oldest) instances.delete(instance);
}

export function ring(store: Store, entry: Entry, path: string, instance: string): Ring {
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

export function mark(store: Store, entry: Entry): void {
  store.dirty.add(entry);
  soon(store);
}

export function soon(store: Store): void {
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
