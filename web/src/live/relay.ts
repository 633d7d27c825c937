// The one connection to the live stream that all tabs of a browser share: who wants what, what is known, and what stands
// in for the stream while it is away. Runs in a SharedWorker, or in one of the tabs where there is none.
import { SUMMARY } from "../api/catalogue.gen.ts";
import { Failure, once } from "../api/client.ts";
import type { Frame, Gone, Host, HostDetail, Hosts, Processes, Snapshot } from "../api/types.gen.ts";
import { createClaims } from "./claims.ts";
import {
  HIDDEN_MS,
  isFresh,
  POLL_DEADLINE_MS,
  pollDelay,
  REST_MS,
  reconnectDelay,
  STALLED_MS,
  STEADY_MS,
} from "./delay.ts";
import { BEAT_MS, type FromRelay, SILENT_MS, type StreamState, type ToRelay } from "./messages.ts";
import {
  applyEvent,
  applyPolled,
  applySnapshot,
  createStore,
  imageOf,
  lateness,
  POLLED,
  PROCESSES,
  RESYNC,
  type Store,
} from "./store.ts";
import { readStream } from "./stream.ts";

/** One tab, as the relay sees it. */
interface Client {
  post: (message: FromRelay) => void;
  visible: boolean;
  details: ReadonlySet<string>;
  metrics: readonly string[];
  heard: number;
  /** It came while a snapshot did, so it lacks the first part and gets the whole at the end. */
  late: boolean;
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
/** Most hosts that the gateway follows in detail for one viewer. */
const MOST_DETAILS = 32;
/** What was missed comes at once after a connection begins: nothing is late then. */
const CATCH_UP_MS = 2000;
/** Hidden tabs are slowed down by browsers to a turn a minute. */
const HIDDEN_SILENT_MS = 150_000;

const newStore = (): Store => createStore(KEEP_MS, (paint) => paint());

export function createRelay(): Relay {
  const clients = new Map<unknown, Client>();
  const claims = createClaims();
  const fleet = newStore();
  const details = new Map<string, Store>();
  /** Wanted by nobody since. */
  const idle = new Map<string, number>();
  let state: StreamState = { kind: "connecting", fresh: true };
  let heard: number | null = null;
  let lastId: string | null = null;
  let hiddenSince: number | null = null;
  /** Ends what is running and lets the loop choose again. */
  let turn = new AbortController();
  /** The details of the connection that is open, and its metrics. */
  let streamed = "";
  let carried: ReadonlySet<string> = new Set(SUMMARY);
  let lostSince: number | null = null;
  let attempt = 0;
  let closed = false;
  /** When the connection that is live began. */
  let liveSince = 0;

  const everyone = (message: FromRelay, hiddenToo = true) => {
    for (const client of clients.values()) if (hiddenToo || client.visible) client.post(message);
  };
  const setState = (next: StreamState) => {
    state = next;
    everyone({ kind: "state", state });
  };
  const wanted = () => new Set([...clients.values()].flatMap((client) => [...client.details]));
  /** Of the hosts to follow as many as the gateway allows, those that are looked at first. */
  const askedFor = () => {
    const seen = new Set([...clients.values()].flatMap((client) => (client.visible ? [...client.details] : [])));
    const first = [...details.keys()].sort((a, b) => Number(seen.has(b)) - Number(seen.has(a)));
    return first.slice(0, MOST_DETAILS).sort().join();
  };
  const metricsWanted = () => new Set([...SUMMARY, ...[...clients.values()].flatMap((client) => client.metrics)]);
  const anyVisible = () => [...clients.values()].some((client) => client.visible);

  function receive(tab: unknown, message: ToRelay, post: (message: FromRelay) => void): void {
    if (message.kind === "bye") {
      clients.delete(tab);
    } else if (message.kind === "claim") {
      const keys = claims.take(message.keys);
      if (keys.length > 0) post({ kind: "granted", keys });
    } else if (message.kind === "in") {
      if (state.kind !== "out") return;
      setState({ kind: "connecting", fresh: false });
      turn.abort();
    } else {
      const before = clients.get(tab);
      const client: Client = {
        post,
        visible: message.visible,
        details: new Set(message.details),
        metrics: message.metrics,
        heard: Date.now(),
        late: before ? before.late : fleet.gathered !== null,
      };
      clients.set(tab, client);
      const woken = client.visible && !before?.visible;
      if (!before) post({ kind: "state", state });
      const shown = state.kind !== "out" && (woken || !before);
      if (shown && fleet.snapshots.peek() > 0) post({ kind: "fleet", image: imageOf(fleet) });
      for (const id of client.details) {
        const known = details.get(id);
        const wants = shown || (state.kind !== "out" && !before?.details.has(id));
        if (known && known.snapshots.peek() > 0 && wants) post({ kind: "detail", id, image: imageOf(known) });
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
    if (state.kind === "resting" || state.kind === "out") return;
    if (askedFor() !== streamed) turn.abort();
    // What is wanted no more is carried until the next connection; what is new takes a snapshot to begin with.
    if ([...metricsWanted()].some((path) => !carried.has(path))) {
      lastId = null;
      turn.abort();
    }
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
    tellOfFleet(name, data, text, now);
  }

  function tellOfFleet(name: string, data: unknown, text: string, now: number): void {
    applyEvent(fleet, name, data, now);
    for (const client of clients.values()) {
      if (client.late && name === "complete") {
        client.late = false;
        client.post({ kind: "fleet", image: imageOf(fleet) });
      } else if (client.visible || name !== "frame") client.post({ kind: "event", name, text });
    }
  }

  function takeDetail(name: string, data: unknown, text: string, now: number): void {
    const id = hostOf(name, data);
    const known = id === undefined ? undefined : details.get(id);
    if (id === undefined || !known) return;
    if (name === "snapshot") applySnapshot(known, data as Snapshot, now);
    else applyEvent(known, name, data, now);
    for (const client of clients.values())
      if (client.visible && client.details.has(id)) client.post({ kind: "detail-event", id, name, text });
  }

  /** Says when the connection does not keep up with what it carries. */
  function noteLateness(time: number, now: number): void {
    if (state.kind !== "live" || now - liveSince < CATCH_UP_MS) return;
    const late_ms = lateness(fleet, time, now);
    const behind_ms = late_ms > STALLED_MS ? Math.floor(late_ms / 1000) * 1000 : 0;
    if (behind_ms !== state.behind_ms) setState({ kind: "live", behind_ms });
  }

  async function stream(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      carried = metricsWanted();
      const query = new URLSearchParams({ metrics: [...carried].join() });
      streamed = askedFor();
      if (streamed) query.set("detail", streamed);
      let begun = false;
      tellOfFleet(RESYNC, {}, "{}", Date.now());
      const end = await readStream(`/api/v1/live?${query}`, lastId, signal, {
        onSign: () => {
          heard = Date.now();
          if (begun) return;
          begun = true;
          liveSince = heard;
          lostSince = null;
          setState({ kind: "live", behind_ms: 0 });
        },
        onEvent,
        onHeartbeat: () => {
          // It comes only when nothing else waits.
          if (state.kind === "live" && state.behind_ms > 0) setState({ kind: "live", behind_ms: 0 });
        },
      });
      if (signal.aborted) return;
      if (end.status === 401) return shutOut();
      if (end.garbled) lastId = null;
      lostSince ??= Date.now();
      // A stream that ends as soon as it began is no reason to start over with short waits.
      if (begun && Date.now() - liveSince > STEADY_MS) attempt = 0;
      const wait_ms = Math.max(end.retryAfter_ms, reconnectDelay(attempt, Math.random()));
      attempt += 1;
      const poll_ms = state.kind === "lost" ? state.poll_ms : null;
      setState({
        kind: "lost",
        since: lostSince,
        reason: end.reason,
        status: end.status,
        retryAt: Date.now() + wait_ms,
        poll_ms,
        fresh: isFresh(heard, Date.now(), poll_ms),
      });
      await pause(wait_ms, signal);
    }
  }

  /** Nobody is logged in: asking again would change nothing. Tabs that come meanwhile need a snapshot when it goes on. */
  function shutOut(): void {
    lastId = null;
    setState({ kind: "out", fresh: false });
    turn.abort();
  }

  /** Fetches what the stream would have told. Answers whether that worked. */
  async function poll(signal: AbortSignal): Promise<boolean> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(POLL_DEADLINE_MS)]);
    try {
      const { hosts } = await once<Hosts>("GET", `/hosts?metrics=${[...metricsWanted()].join()}`, { signal: deadline });
      const detailed = hosts.map((host) => host.id).filter((id) => details.has(id));
      const found = await Promise.all(
        detailed.map((id) => once<HostDetail>("GET", `/hosts/${encodeURIComponent(id)}`, { signal: deadline })),
      );
      heard = Date.now();
      // Meanwhile the stream may be back, and knows more.
      if (signal.aborted || state.kind === "live") return true;
      deliver(fleet, hosts);
      for (const host of found) deliver(details.get(host.id), [host], host.id);
      return true;
    } catch (error) {
      if (error instanceof Failure && error.status === 401 && !signal.aborted) shutOut();
      else if (!(error instanceof Failure) && !deadline.aborted) reportError(error);
      return false;
    }
  }

  /** Takes polled hosts: those of the fleet, or host `id` in detail. The stream's next snapshot replaces them. */
  function deliver(store: Store | undefined, hosts: Host[], id?: string): void {
    if (!store) return;
    applyPolled(store, hosts);
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
        if (signal.aborted) return;
        failures = worked ? 0 : failures + 1;
        const wait_ms = pollDelay(Date.now() - started, failures);
        if (state.kind === "lost") setState({ ...state, poll_ms: worked ? wait_ms : null });
        await pause(wait_ms, signal);
      } else await pause(POLL_AFTER_MS / 4, signal);
    }
  }

  /** Nobody looks: the fleet is fetched now and then, for what the tabs' titles say. */
  async function rest(signal: AbortSignal): Promise<void> {
    setState({ kind: "resting", fresh: state.kind === "live" || state.fresh });
    while (!signal.aborted) {
      const fresh = await poll(signal);
      if (signal.aborted) return;
      if (state.kind === "resting" && state.fresh !== fresh) setState({ kind: "resting", fresh });
      await pause(REST_MS, signal);
    }
  }

  async function run(): Promise<void> {
    while (!closed) {
      turn = new AbortController();
      const { signal } = turn;
      if (state.kind === "out") {
        await aborted(signal);
        continue;
      }
      const hidden = hiddenSince !== null && Date.now() - hiddenSince >= HIDDEN_MS;
      if (!hidden && state.kind === "resting") setState({ kind: "connecting", fresh: state.fresh });
      await (hidden ? rest(signal) : Promise.all([stream(signal), standIn(signal)]));
    }
  }

  function beat(): void {
    const now = Date.now();
    for (const [tab, client] of clients)
      if (now - client.heard > (client.visible ? 3 * SILENT_MS : HIDDEN_SILENT_MS)) clients.delete(tab);
    arrange();
    const rests = state.kind === "resting" || state.kind === "out";
    if (hiddenSince !== null && now - hiddenSince >= HIDDEN_MS && !rests) turn.abort();
    const fresh = state.kind === "lost" && isFresh(heard, now, state.poll_ms);
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

/** The host that an event of a detailed part is about; undefined for a snapshot of a host that is not there. */
function hostOf(name: string, data: unknown): string | undefined {
  if (name === "frame") return (data as Frame).samples[0]?.host;
  if (name === "gone" || name === PROCESSES) return (data as Gone | Processes).host;
  return name === "snapshot" ? (data as Snapshot).hosts[0]?.id : (data as Host).id;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });

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
