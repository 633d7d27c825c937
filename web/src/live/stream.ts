// One connection of the live stream, from its request to its end. Read with fetch instead of EventSource, which hides
// what the relay needs: heartbeat comments, the status of a refusal and its Retry-After.
import { createParser } from "eventsource-parser";
import { retryAfter, STALLED_MS } from "./delay.ts";

export interface StreamEnd {
  /** Why, as part of a sentence. */
  reason: string;
  /** HTTP status of a refusal; null otherwise. */
  status: number | null;
  retryAfter_ms: number;
  /** True when what came made no sense, so that nothing of it should be gone on with. */
  garbled: boolean;
}

export interface Listener {
  /** The first thing that makes sense has come, and with every later one. */
  onSign: () => void;
  /** An event with its data as JSON text. An exception ends the connection. */
  onEvent: (name: string, text: string, id: string | undefined) => void;
  /** The gateway had nothing to say for a while. */
  onHeartbeat: () => void;
}

const ended = (reason: string, more: Partial<StreamEnd> = {}): StreamEnd => ({
  reason,
  status: null,
  retryAfter_ms: 0,
  garbled: false,
  ...more,
});

/** Reads `url` from after the event `lastId` until it ends, stalls or `signal` aborts it. Never throws. */
export async function readStream(
  url: string,
  lastId: string | null,
  signal: AbortSignal,
  { onSign, onEvent, onHeartbeat }: Listener,
): Promise<StreamEnd> {
  const connection = new AbortController();
  const abort = () => connection.abort();
  signal.addEventListener("abort", abort);
  let stalled = false;
  const stall = () => {
    stalled = true;
    connection.abort();
  };
  let silence = setTimeout(stall, STALLED_MS);
  let unreadable: string | null = null;
  const parser = createParser({
    onEvent: ({ event, data, id }) => {
      onSign();
      onEvent(event ?? "message", data, id);
    },
    onComment: () => {
      onSign();
      onHeartbeat();
    },
    onError: (error) => {
      unreadable = error.message;
    },
  });
  try {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (lastId !== null) headers["last-event-id"] = lastId;
    const response = await fetch(url, { signal: connection.signal, headers, cache: "no-store" });
    if (!response.ok)
      return ended(await refusal(response), {
        status: response.status,
        retryAfter_ms: retryAfter(response.headers.get("retry-after")),
      });
    if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream"))
      return ended("something else than the gateway answered", { status: response.status, garbled: true });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return ended("the gateway ended the stream");
      clearTimeout(silence);
      silence = setTimeout(stall, STALLED_MS);
      try {
        parser.feed(value);
      } catch (error) {
        if (error instanceof SyntaxError) unreadable = error.message;
        else {
          reportError(error);
          return ended("a defect of this page ended the stream", { garbled: true });
        }
      }
      if (unreadable !== null) return ended("the stream carried something unreadable", { garbled: true });
    }
  } catch {
    return ended(stalled ? `nothing came for ${STALLED_MS / 1000} s` : "the gateway cannot be reached");
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", abort);
    connection.abort();
  }
}

/** Why there is no stream; a proxy in between may refuse it as well. */
async function refusal(response: Response): Promise<string> {
  const problem = (await response.json().catch(() => null)) as { type?: unknown } | null;
  if (response.status === 401) return "nobody is logged in";
  if (problem?.type === "/problems/too-many-viewers") return "the gateway takes no more viewers now";
  if (problem?.type === "/problems/too-many-streams") return "you have too many browsers open on this gateway";
  return `the gateway answered ${response.status}`;
}
