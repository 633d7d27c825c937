// The page's live state, made once at start: the fleet, the hosts followed in detail, the connection's state, the clock.
// All of it comes from the relay that this browser's tabs share.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { AlertTransition, Health, Snapshot, Watching } from "../api/types.gen.ts";
import { LIVE_KEEP_MS } from "../charts/window.ts";
import { type Link, link } from "./link.ts";
import { BEAT_MS, type FromRelay, SILENT_MS, type StreamState } from "./messages.ts";
import { paintSoon, watchScrolling } from "./painting.ts";
import { applyEvent, applyImage, applySnapshot, createStore, POLLED, type Store, serverNow } from "./store.ts";

export const fleet: Store = createStore(90_000, paintSoon);
export const connection = signal<StreamState>({ kind: "connecting", fresh: true });
/** Server time, moving every second while the page is visible. */
export const now = signal(Date.now());
/** The newest alert transition and setting change that the stream told; pages watch them to refetch. */
export const transition = signal<AlertTransition | null>(null);
export const settingChange = signal<{ key: string; version: number } | null>(null);
/** How Sonde itself is, as the stream told last when a part of it changed; null before it ever did. */
export const health = signal<Health | null>(null);
/** How many watch the live stream; null before it told. */
export const watching = signal<number | null>(null);

/** Number of times that the fleet was fetched over REST instead of streamed. */
export const polls = signal(0);

/** Whether it is known how hosts are: false once nothing has been heard of them for seconds. */
export const known: ReadonlySignal<boolean> = computed(() => {
  const state = connection.value;
  return state.kind === "live" || state.fresh;
});
/** Whether samples arrive by themselves. */
export const live: ReadonlySignal<boolean> = computed(() => connection.value.kind === "live");
/** Whether hosts are polled because there is no stream. */
export const polled: ReadonlySignal<boolean> = computed(
  () => connection.value.kind === "lost" && connection.value.poll_ms !== null,
);
/** True once it is worth a banner: the stream has been away for 3 s, or does not keep up. */
export const interrupted: ReadonlySignal<boolean> = computed(() => {
  const state = connection.value;
  if (state.kind === "live") return state.behind_ms > 0;
  return (
    state.kind === "lost" &&
    (!state.fresh || state.poll_ms !== null || now.value - serverNow(fleet, state.since) > 3000)
  );
});

/** Hosts followed with every metric, and how many parts of the page follow each. */
const followed = new Map<string, { store: Store; count: number }>();
let relay: Link | null = null;
let heard = Date.now();

/** Follows host `id` with all its metrics until `release` is called. */
export function follow(id: string): { store: Store; release: () => void } {
  const detail = followed.get(id) ?? { store: createStore(LIVE_KEEP_MS), count: 0 };
  detail.count += 1;
  followed.set(id, detail);
  sayHere();
  return {
    store: detail.store,
    release: () => {
      detail.count -= 1;
      if (detail.count > 0) return;
      followed.delete(id);
      sayHere();
    },
  };
}

/** Metrics wanted of all hosts, by whoever wants them. */
const wanted = new Set<readonly string[]>();

/** Has the stream carry `paths` of all hosts, besides those that it always carries, until the answer is called. */
export function wantMetrics(paths: readonly string[]): () => void {
  const own = [...paths];
  wanted.add(own);
  if (own.length > 0) sayHere();
  return () => {
    wanted.delete(own);
    if (own.length > 0) sayHere();
  };
}

/** Somebody is logged in: goes on with the stream that was refused because nobody was. */
export function resume(): void {
  relay?.post({ kind: "in" });
}

/** Called with the keys that this tab is to tell people of. */
let tellOf: (keys: readonly string[]) => void = () => {};

/** Says what there is to tell people of; whatever no tab has told yet is this one's, and `onGranted` hears of it. */
export function claim(keys: readonly string[]): void {
  relay?.post({ kind: "claim", keys });
}

export function onGranted(act: (keys: readonly string[]) => void): void {
  tellOf = act;
}

function sayHere(): void {
  const metrics = [...new Set([...wanted].flat())];
  relay?.post({ kind: "here", visible: !document.hidden, details: [...followed.keys()], metrics });
}

function receive(message: FromRelay): void {
  heard = Date.now();
  switch (message.kind) {
    case "state":
      if (JSON.stringify(message.state) !== JSON.stringify(connection.peek())) connection.value = message.state;
      break;
    case "granted":
      tellOf(message.keys);
      break;
    case "fleet":
      applyImage(fleet, message.image);
      break;
    case "detail": {
      const detail = followed.get(message.id);
      if (detail) applyImage(detail.store, message.image);
      break;
    }
    case "event": {
      const data: unknown = JSON.parse(message.text);
      if (!applyEvent(fleet, message.name, data, Date.now())) other(message.name, data);
      if (message.name === POLLED) polls.value += 1;
      break;
    }
    case "detail-event": {
      const detail = followed.get(message.id);
      if (!detail) break;
      const data: unknown = JSON.parse(message.text);
      if (message.name === "snapshot") applySnapshot(detail.store, data as Snapshot, Date.now());
      else applyEvent(detail.store, message.name, data, Date.now());
    }
  }
}

function other(name: string, data: unknown): void {
  if (name === "alert") transition.value = data as AlertTransition;
  else if (name === "settings") settingChange.value = data as { key: string; version: number };
  else if (name === "health") health.value = data as Health;
  else if (name === "viewers") watching.value = (data as Watching).viewers;
}

/** Starts everything that lasts as long as the page. */
export function startSession(): void {
  watchScrolling();
  relay = link(receive, sayHere);
  sayHere();
  document.addEventListener("visibilitychange", () => {
    heard = Date.now();
    now.value = serverNow(fleet, Date.now());
    sayHere();
  });
  addEventListener("pagehide", () => relay?.post({ kind: "bye" }));
  addEventListener("pageshow", sayHere);
  setInterval(() => {
    if (document.hidden) return;
    now.value = serverNow(fleet, Date.now());
    if (Date.now() - heard > SILENT_MS) {
      const since = heard;
      heard = Date.now();
      // Nobody tells how hosts are. A relay that lives again says at once how it stands.
      const reason = "the connection that this browser's tabs share has ended";
      const retryAt = heard + SILENT_MS;
      connection.value = { kind: "lost", since, reason, status: null, retryAt, poll_ms: null, fresh: false };
      relay?.revive();
      sayHere();
    }
  }, BEAT_MS);
  setInterval(sayHere, SILENT_MS);
}
