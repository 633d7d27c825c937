// The one connection to the live stream that all tabs of a browser share: who wants what, what is known, and what stands
// in for the stream while it is away. Runs in a SharedWorker, or in one of the tabs where there is none.
import { SUMMARY } from "../api/catalogue.gen.ts";
import { Failure, get } from "../api/client.ts";
import type { Frame, Host, HostDetail, Hosts, Snapshot } from "../api/types.gen.ts";
import { HIDDEN_MS, isFresh, pollDelay, REST_MS, reconnectDelay, STALLED_MS, STEADY_MS } from "./delay.ts";
import { BEAT_MS, type FromRelay, POLLED, SILENT_MS, type StreamState, type ToRelay } from "./messages.ts";
import {
  applyFrame,
  applyHost,
  applyPolled,
  applySnapshot,
  createStore,
  imageOf,
  lateness,
  type Store,
} from "./store.ts";
import { readStream } from "./stream.ts";

/** One tab, as the relay sees it. */
interface Client {
  post: (message: FromRelay) => void;
  visible: boolean;
  details: ReadonlySet<string>;
  heard: number;
}

export interface Relay {
  /** Takes a message of the tab that `post` reaches; `tab` tells tabs apart. */
  receive: (tab: unknown, message: ToRelay, post: (message: FromRelay) => void) => void;
  /** Ends its connection for good. */
  close: () => void;
}

/** What a new tab gets of the past; tabs themselves remember more. */
const KEEP_MS = 75_000;
/** A detail that no tab wants any more is kept so long, for those who come back. */
const SHED_MS = 15_000;
/** The stream is given so long before REST stands in. */
const POLL_AFTER_MS = 2000;
/** Hidden tabs are slowed down by browsers to a turn a minute. */
const HIDDEN_SILENT_MS = 150_000;

const newStore = (): Store => createStore(KEEP_MS, (paint) => paint());

export function createRelay(): Relay {
  const clients = new Map<unknown, Client>();
  const fleet = newStore();
  const details = new Map<string, Store>();
  /** Wanted by nobody since. */
  const idle = new Map<string, number>();
  let state: StreamState = { kind: "connecting" };
  let heard: number | null = null;
  let lastId: string | null = null;
  let hiddenSince: number | null = null;
  /** Ends what is running and lets the loop choose again. */
  let turn = new AbortController();
  /** The details of the connection that is open. */
  let streamed = "";
  let lostSince: number | null = null;
  let attempt = 0;
  let closed = false;

  const everyone = (message: FromRelay, hiddenToo = true) => {
    for (const client of clients.values()) if (hiddenToo || client.visible) client.post(message);
  };
  const setState = (next: StreamState) => {
    state = next;
    everyone({ kind: "state", state });
  };
  const wanted = () => new Set([...clients.values()].flatMap((client) => [...client.details]));
  const anyVisible = () => [...clients.values()].some((client) => client.visible);

  function receive(tab: unknown, message: ToRelay, post: (message: FromRelay) => void): void {
    if (message.kind === "bye") {
      clients.delete(tab);
    } else {
      const before = clients.get(tab);
      const client: Client = {
        post,
        visible: message.visible,
        details: new Set(message.details),
        heard: Date.now(),
      };
      clients.set(tab, client);
      const woken = client.visible && !before?.visible;
      if (!before) post({ kind: "state", state });
      if (woken && fleet.snapshots.peek() > 0) post({ kind: "fleet", image: imageOf(fleet) });
      for (const id of client.details) {
        const known = details.get(id);
        if (known && known.snapshots.peek() > 0 && (woken || !before?.details.has(id)))
          post({ kind: "detail", id, image: imageOf(known) });
      }
    }
    arrange();
  }

  /** Brings details in line with what tabs want, and starts over when the open connection lacks one. */
  function arrange(): void {
    const now = Date.now();
    const wants = wanted();
    for (const id of wants) {
      idle.delete(id);
      if (!details.has(id)) details.set(id, newStore());
    }
    for (const id of details.keys()) {
      if (wants.has(id)) continue;
      const since = idle.get(id) ?? now;
      idle.set(id, since);
      if (now - since < SHED_MS) continue;
      idle.delete(id);
      details.delete(id);
    }
    if (anyVisible()) {
      hiddenSince = null;
      if (state.kind === "resting") turn.abort();
    } else hiddenSince ??= now;
    if ([...details.keys()].sort().join() !== streamed && state.kind !== "resting") turn.abort();
  }

  function onEvent(name: string, text: string, id: string | undefined): void {
    const data: unknown = JSON.parse(text);
    const now = Date.now();
    if (id !== undefined && id !== "") lastId = id;
    if (name.startsWith("detail-")) {
      takeDetail(name.slice("detail-".length), data, text, now);
      return;
    }
    if (name === "frame") noteLateness((data as Frame).time, now);
    take(fleet, name, data, now);
    everyone({ kind: "event", name, text }, name !== "frame");
  }

  function takeDetail(name: string, data: unknown, text: string, now: number): void {
    const id = hostOf(name, data);
    const known = id === undefined ? undefined : details.get(id);
    if (id === undefined || !known) return;
    take(known, name, data, now);
    for (const client of clients.values())
      if (client.visible && client.details.has(id)) client.post({ kind: "detail-event", id, name, text });
  }

  /** Says when the connection does not keep up with what it carries. */
  function noteLateness(time: number, now: number): void {
    if (state.kind !== "live") return;
    const late_ms = lateness(fleet, time, now);
    const behind_ms = late_ms > STALLED_MS ? Math.floor(late_ms / 1000) * 1000 : 0;
    if (behind_ms !== state.behind_ms) setState({ kind: "live", behind_ms });
  }

  async function stream(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const query = new URLSearchParams({ metrics: SUMMARY.join() });
      streamed = [...details.keys()].sort().join();
      if (streamed) query.set("detail", streamed);
      let liveSince: number | null = null;
      const end = await readStream(`/api/v1/live?${query}`, lastId, signal, {
        onSign: () => {
          heard = Date.now();
          if (liveSince !== null) return;
          liveSince = heard;
          lostSince = null;
          setState({ kind: "live", behind_ms: 0 });
        },
        onEvent,
      });
      if (signal.aborted) return;
      if (end.garbled) lastId = null;
      lostSince ??= Date.now();
      // A stream that ends as soon as it began is no reason to start over with short waits.
      if (liveSince !== null && Date.now() - liveSince > STEADY_MS) attempt = 0;
      const wait_ms = Math.max(end.retryAfter_ms, reconnectDelay(attempt, Math.random()));
      attempt += 1;
      const polled = state.kind === "lost" && state.polled;
      setState({
        kind: "lost",
        since: lostSince,
        reason: end.reason,
        status: end.status,
        retryAt: Date.now() + wait_ms,
        polled,
        fresh: isFresh(heard, Date.now(), polled),
      });
      await pause(wait_ms, signal);
    }
  }

  /** Fetches what the stream would have told. Answers whether that worked. */
  async function poll(signal: AbortSignal): Promise<boolean> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(2 * STALLED_MS)]);
    try {
      const { hosts } = await get<Hosts>(`/hosts?metrics=${SUMMARY.join()}`, deadline);
      const detailed = hosts.map((host) => host.id).filter((id) => details.has(id));
      const found = await Promise.all(
        detailed.map((id) => get<HostDetail>(`/hosts/${encodeURIComponent(id)}`, deadline)),
      );
      heard = Date.now();
      // Meanwhile the stream may be back, and knows more.
      if (signal.aborted || state.kind === "live") return true;
      deliver(fleet, hosts);
      for (const host of found) deliver(details.get(host.id), [host], host.id);
      return true;
    } catch (error) {
      if (!(error instanceof Failure) && !deadline.aborted) reportError(error);
      return false;
    }
  }

  /** Takes polled hosts: those of the fleet, or host `id` in detail. The stream's next snapshot replaces them. */
  function deliver(store: Store | undefined, hosts: Host[], id?: string): void {
    if (!store) return;
    applyPolled(store, hosts, Date.now());
    const text = JSON.stringify(hosts);
    for (const client of clients.values())
      if (id === undefined) client.post({ kind: "event", name: POLLED, text });
      else if (client.details.has(id)) client.post({ kind: "detail-event", id, name: POLLED, text });
  }

  /** Stands in for the stream while it is away. */
  async function standIn(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const started = Date.now();
      if (state.kind === "lost" && started - state.since >= POLL_AFTER_MS) {
        const worked = await poll(signal);
        failures = worked ? 0 : failures + 1;
        if (state.kind === "lost" && state.polled !== worked) setState({ ...state, polled: worked });
        await pause(pollDelay(Date.now() - started, failures), signal);
      } else await pause(POLL_AFTER_MS / 4, signal);
    }
  }

  /** Nobody looks: the fleet is fetched now and then, for what the tabs' titles say. */
  async function rest(signal: AbortSignal): Promise<void> {
    setState({ kind: "resting", fresh: true });
    while (!signal.aborted) {
      await pause(REST_MS, signal);
      if (signal.aborted) return;
      const fresh = await poll(signal);
      if (state.kind === "resting" && state.fresh !== fresh) setState({ kind: "resting", fresh });
    }
  }

  async function run(): Promise<void> {
    while (!closed) {
      turn = new AbortController();
      const { signal } = turn;
      const hidden = hiddenSince !== null && Date.now() - hiddenSince >= HIDDEN_MS;
      await (hidden ? rest(signal) : Promise.all([stream(signal), standIn(signal)]));
    }
  }

  function beat(): void {
    const now = Date.now();
    for (const [tab, client] of clients)
      if (now - client.heard > (client.visible ? 3 * SILENT_MS : HIDDEN_SILENT_MS)) clients.delete(tab);
    arrange();
    if (hiddenSince !== null && now - hiddenSince >= HIDDEN_MS && state.kind !== "resting") turn.abort();
    const fresh = isFresh(heard, now, state.kind === "lost" && state.polled);
    if (state.kind === "lost" && state.fresh !== fresh) setState({ ...state, fresh });
    else everyone({ kind: "state", state }, false);
  }

  void run();
  const beating = setInterval(beat, BEAT_MS);
  return {
    receive,
    close: () => {
      closed = true;
      clearInterval(beating);
      turn.abort();
    },
  };
}

function take(store: Store, name: string, data: unknown, now: number): void {
  if (name === "frame") applyFrame(store, data as Frame, now);
  else if (name === "snapshot") applySnapshot(store, data as Snapshot, now);
  else if (name === "host") applyHost(store, data as Host);
}

/** The host that an event of a detailed part is about; undefined for a snapshot of a host that is not there. */
function hostOf(name: string, data: unknown): string | undefined {
  if (name === "frame") return (data as Frame).samples[0]?.host;
  return name === "snapshot" ? (data as Snapshot).hosts[0]?.id : (data as Host).id;
}

/** Waits, but not past `signal` and not past the moment the browser is online again. */
function pause(wait_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      globalThis.removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, wait_ms);
    globalThis.addEventListener("online", end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
