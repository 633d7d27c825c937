// The page's live state, made once at start: the fleet's stream, the stream of the host in view, the connection's state,
// the clock. The only place that opens streams.
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { openStream, type StreamState } from "../api/stream.ts";
import type { AlertTransition, Frame, Host, Snapshot } from "../api/types.gen.ts";
import { LIVE_KEEP_MS } from "../charts/window.ts";
import { applyFrame, applyHost, applySnapshot, createStore, type Store, serverNow } from "./store.ts";

/** What a card shows; the fleet's stream carries no more. */
const SUMMARY = [
  "cpu.total",
  "cpu.load1",
  "memory.used_percent",
  "filesystem.used_percent",
  "filesystem.inodes_percent",
  "gpu.utilisation",
  "network.received",
  "network.sent",
];

/** A tab hidden for longer lets go of its streams: browsers allow six connections a server, all tabs together. */
const HIDDEN_MS = 30_000;

export const fleet: Store = createStore(90_000);
export const connection = signal<StreamState>({ kind: "connecting" });
/** Server time, moving every second while the page is visible. */
export const now = signal(Date.now());
/** The newest alert transition and setting change that the stream told; pages watch them to refetch. */
export const transition = signal<AlertTransition | null>(null);
export const settingChange = signal<{ key: string; version: number } | null>(null);

const awake = signal(true);

/** The store of one host with every metric, filled while `focus` says so. */
export const focused = signal<{ id: string; store: Store } | null>(null);
export const focusConnection = signal<StreamState>({ kind: "connecting" });

/** Follows host `id` with all its metrics until the returned function is called. */
export function focus(id: string): () => void {
  const mine = { id, store: createStore(LIVE_KEEP_MS) };
  focused.value = mine;
  const end = effect(() => {
    if (!awake.value) return undefined;
    return follow(`hosts=${encodeURIComponent(id)}`, mine.store, (state) => {
      focusConnection.value = state;
    });
  });
  return () => {
    end();
    if (focused.peek() === mine) focused.value = null;
  };
}

function follow(
  query: string,
  store: Store,
  onState: (state: StreamState) => void,
  onOther?: (name: string, data: unknown) => void,
) {
  return openStream(
    `/api/v1/live?${query}`,
    (name, data) => {
      if (name === "frame") applyFrame(store, data as Frame, Date.now());
      else if (name === "snapshot") applySnapshot(store, data as Snapshot, Date.now());
      else if (name === "host") applyHost(store, data as Host);
      else onOther?.(name, data);
    },
    onState,
  );
}

/** Starts everything that lasts as long as the page. */
export function startSession(): void {
  let hiding: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) {
      hiding = setTimeout(() => {
        awake.value = false;
      }, HIDDEN_MS);
    } else {
      awake.value = true;
      now.value = serverNow(fleet, Date.now());
    }
  });
  setInterval(() => {
    if (!document.hidden) now.value = serverNow(fleet, Date.now());
  }, 1000);

  effect(() => {
    if (!awake.value) return undefined;
    return follow(
      `metrics=${SUMMARY.join(",")}`,
      fleet,
      (state) => {
        connection.value = state;
      },
      (name, data) => {
        if (name === "alert") transition.value = data as AlertTransition;
        else if (name === "settings") settingChange.value = data as { key: string; version: number };
      },
    );
  });
}

/** True once it is worth a banner: the stream has been away for 3 s. */
export const interrupted: ReadonlySignal<boolean> = computed(() => {
  const state = connection.value;
  return state.kind === "lost" && now.value - serverNow(fleet, state.since) > 3000;
});
