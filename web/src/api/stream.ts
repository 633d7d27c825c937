// One live connection: opens it, reads it, notices its death, and comes back with back-off and jitter.
//
// Read with fetch instead of EventSource, which hides three things this page shows or needs: heartbeat comments (three
// missed ones are a dead peer), the status of a refusal, and its Retry-After. Sharing one connection between tabs
// (SharedWorker) would go here and nowhere else.
import { eventParser, reconnectDelay } from "./sse.ts";

export type StreamState =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "lost"; since: number; reason: string; retryAt: number };

/** Three heartbeats of 15 s. */
const SILENCE_MS = 45_000;
const STEADY_MS = 5000;

/**
 * Reads `url` until the returned function is called. `onEvent` gets every event's name and parsed data; `onState` every
 * change. An exception of `onEvent` is a bug: it surfaces on the console and ends this connection, the next one starts
 * from a fresh snapshot.
 */
export function openStream(
  url: string,
  onEvent: (name: string, data: unknown) => void,
  onState: (state: StreamState) => void,
): () => void {
  const closed = new AbortController();
  let attempt = 0;
  let retryAfter_ms = 0;
  let lostSince: number | null = null;
  let liveSince: number | null = null;

  /** One connection, until it ends; answers why it did. */
  async function read(): Promise<string> {
    const connection = new AbortController();
    const abort = () => connection.abort();
    closed.signal.addEventListener("abort", abort);
    let silence = setTimeout(abort, SILENCE_MS);
    try {
      const response = await arriving(
        fetch(url, { signal: connection.signal, headers: { accept: "text/event-stream" }, cache: "no-store" }),
      );
      if (!response.ok || !response.body) {
        retryAfter_ms = Number(response.headers.get("retry-after") ?? 0) * 1000;
        return response.status === 503
          ? "the gateway takes no more viewers now"
          : `the gateway answered ${response.status}`;
      }
      const parse = eventParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await arriving(reader.read());
        if (done) return "the gateway ended the stream";
        clearTimeout(silence);
        silence = setTimeout(abort, SILENCE_MS);
        for (const event of parse(value)) {
          if (liveSince === null) {
            liveSince = Date.now();
            lostSince = null;
            onState({ kind: "live" });
          }
          onEvent(event.name, JSON.parse(event.data));
        }
      }
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      return connection.signal.aborted ? "no heartbeat for 45 s" : "the gateway cannot be reached";
    } finally {
      clearTimeout(silence);
      closed.signal.removeEventListener("abort", abort);
      connection.abort();
    }
  }

  async function run(): Promise<void> {
    onState({ kind: "connecting" });
    while (!closed.signal.aborted) {
      retryAfter_ms = 0;
      liveSince = null;
      let reason = "a defect in this page";
      try {
        reason = await read();
      } catch (error) {
        reportError(error);
      }
      if (closed.signal.aborted) return;
      lostSince ??= Date.now();
      // A stream that ends as soon as it began is no reason to start over with short waits.
      if (liveSince !== null && Date.now() - liveSince > STEADY_MS) attempt = 0;
      const wait_ms = Math.max(retryAfter_ms, reconnectDelay(attempt, Math.random()));
      attempt += 1;
      onState({ kind: "lost", since: lostSince, reason, retryAt: Date.now() + wait_ms });
      await pause(wait_ms, closed.signal);
    }
  }
  void run();
  return () => closed.abort();
}

/** The network failed, as opposed to what this page makes of its data. */
class Broken extends Error {}

async function arriving<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw new Broken(String(error));
  }
}

/** Waits, but not past `signal` and not past the moment the browser is online again. */
function pause(wait_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, wait_ms);
    addEventListener("online", end);
    signal.addEventListener("abort", end);
  });
}
