// The one connection to the live stream that all tabs of a browser share: who wants what, what is known, and what stands
// in for the stream while it is away. Runs in a SharedWorker, or in one of the tabs where there is none.
import { SUMMARY } from "../api/catalogue.gen.ts";
import { Failure, once } from "../api/client.ts";
import type { Frame, HostDetail, Hosts } from "../api/types.gen.ts";
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
import { createKnown } from "./known.ts";
import { BEAT_MS, type FromRelay, type StreamState, type ToRelay } from "./messages.ts";
import { lateness, RESYNC } from "./store.ts";
import { readStream } from "./stream.ts";
import { createTabs } from "./tabs.ts";
import { aborted, pause } from "./waits.ts";

export interface Relay {
  /** Takes a message of the tab that `post` reaches; `tab` tells tabs apart. */
  receive: (tab: unknown, message: ToRelay, post: (message: FromRelay) => void) => void;
  /** Ends its connection for good. */
  close: () => void;
}

/** The stream is given so long before REST stands in. */
const POLL_AFTER_MS = 2000;
/** What was missed comes at once after a connection begins: nothing is late then. */
const CATCH_UP_MS = 2000;

export function createRelay(): Relay {
  const tabs = createTabs();
  const known = createKnown(tabs);
  const claims = createClaims();
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

  const setState = (next: StreamState) => {
    state = next;
    tabs.tell({ kind: "state", state });
  };

  function receive(tab: unknown, message: ToRelay, post: (message: FromRelay) => void): void {
    if (message.kind === "bye") {
      tabs.leave(tab);
    } else if (message.kind === "claim") {
      const keys = claims.take(message.keys);
      if (keys.length > 0) post({ kind: "granted", keys });
    } else if (message.kind === "in") {
      if (state.kind !== "out") return;
      setState({ kind: "connecting", fresh: false });
      turn.abort();
    } else {
      const { client, before } = tabs.note(tab, message, post, known.fleet.gathered !== null);
      if (!before) post({ kind: "state", state });
      if (state.kind !== "out") known.show(client, before);
    }
    arrange();
  }

  /** Starts over when the open connection lacks what tabs want. */
  function arrange(): void {
    const now = Date.now();
    known.arrange(now);
    if (tabs.anyVisible()) {
      hiddenSince = null;
      if (state.kind === "resting") turn.abort();
    } else hiddenSince ??= now;
    if (state.kind === "resting" || state.kind === "out") return;
    if (known.askedFor() !== streamed) turn.abort();
    // What is wanted no more is carried until the next connection; what is new takes a snapshot to begin with.
    if ([...tabs.metrics()].some((path) => !carried.has(path))) {
      lastId = null;
      turn.abort();
    }
  }

  function onEvent(name: string, text: string, id: string | undefined): void {
    const data: unknown = JSON.parse(text);
    const now = Date.now();
    if (id !== undefined && id !== "") lastId = id;
    if (name === "frame") noteLateness((data as Frame).time, now);
    known.take(name, data, text, now);
  }

  /** Says when the connection does not keep up with what it carries. */
  function noteLateness(time: number, now: number): void {
    if (state.kind !== "live" || now - liveSince < CATCH_UP_MS) return;
    const late_ms = lateness(known.fleet, time, now);
    const behind_ms = late_ms > STALLED_MS ? Math.floor(late_ms / 1000) * 1000 : 0;
    if (behind_ms !== state.behind_ms) setState({ kind: "live", behind_ms });
  }

  async function stream(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      carried = tabs.metrics();
      const query = new URLSearchParams({ metrics: [...carried].join() });
      streamed = known.askedFor();
      if (streamed) query.set("detail", streamed);
      let begun = false;
      known.take(RESYNC, {}, "{}", Date.now());
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
      const { hosts } = await once<Hosts>("GET", `/hosts?metrics=${[...tabs.metrics()].join()}`, { signal: deadline });
      const detailed = hosts.map((host) => host.id).filter(known.isDetailed);
      const found = await Promise.all(
        detailed.map((id) => once<HostDetail>("GET", `/hosts/${encodeURIComponent(id)}`, { signal: deadline })),
      );
      heard = Date.now();
      // Meanwhile the stream may be back, and knows more.
      if (signal.aborted || state.kind === "live") return true;
      known.deliver(hosts);
      for (const host of found) known.deliver([host], host.id);
      return true;
    } catch (error) {
      if (error instanceof Failure && error.status === 401 && !signal.aborted) shutOut();
      else if (!(error instanceof Failure) && !deadline.aborted) reportError(error);
      return false;
    }
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
    tabs.shedSilent(now);
    arrange();
    const rests = state.kind === "resting" || state.kind === "out";
    if (hiddenSince !== null && now - hiddenSince >= HIDDEN_MS && !rests) turn.abort();
    const fresh = state.kind === "lost" && isFresh(heard, now, state.poll_ms);
    if (state.kind === "lost" && state.fresh !== fresh) setState({ ...state, fresh });
    else tabs.tell({ kind: "state", state }, false);
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
