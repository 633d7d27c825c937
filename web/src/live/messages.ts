// What a tab and the relay tell one another. The relay holds the one stream of this browser, wherever it runs.
import type { StoreImage } from "./store.ts";

export type StreamState =
  /** Nothing has been heard yet. `fresh`: false where what was known before is too old to go by. */
  | { kind: "connecting"; fresh: boolean }
  /** `behind_ms`: how much later than usual samples arrive; 0 while they are in time. */
  | { kind: "live"; behind_ms: number }
  | {
      kind: "lost";
      /** Browser time, Unix milliseconds. */
      since: number;
      /** A sentence's part: `the gateway answered 502`. */
      reason: string;
      /** HTTP status of a refusal; null when there was no answer. */
      status: number | null;
      retryAt: number;
      /** Milliseconds between two fetches over REST that stand in for the stream; null while none does. */
      poll_ms: number | null;
      /** False once nothing has been heard for so long that the state of hosts is not known. */
      fresh: boolean;
    }
  /** No tab has been visible for a while: the stream is let go, and the fleet is fetched now and then, if that works. */
  | { kind: "resting"; fresh: boolean }
  /** Nobody is logged in: nothing is asked for until a tab says that somebody is. */
  | { kind: "out"; fresh: false };

/** What a tab wants. Sent when that changes, and again and again as a sign of life. */
export interface Here {
  kind: "here";
  visible: boolean;
  /** Ids of hosts to follow with every metric. */
  details: string[];
  /** Paths of metrics wanted of all hosts, besides those that stand for a host everywhere. */
  metrics: string[];
}

export type ToRelay =
  | Here
  | { kind: "bye" }
  /** Somebody is logged in (again). */
  | { kind: "in" }
  /** What this tab would tell people of, all of it; the relay gives each to one tab. */
  | { kind: "claim"; keys: readonly string[] };

export type FromRelay =
  /** Sent on every change, and every second, to visible tabs, as a sign of life. */
  | { kind: "state"; state: StreamState }
  /** Everything the relay knows, of the fleet or of one host in detail, for a tab that just came or woke up. */
  | { kind: "fleet"; image: StoreImage }
  | { kind: "detail"; id: string; image: StoreImage }
  /** An event of the stream, or `POLLED`; its data as JSON text. */
  | { kind: "event"; name: string; text: string }
  /** An event of the detailed part, for tabs that follow the host. */
  | { kind: "detail-event"; id: string; name: string; text: string }
  /** What this tab is to tell people of, and no other one. */
  | { kind: "granted"; keys: string[] };

/** How long a tab or the relay may be silent before the other one gives it up. */
export const BEAT_MS = 1000;
export const SILENT_MS = 10_000;
/** Hidden tabs are slowed down by browsers to a turn a minute. */
export const HIDDEN_SILENT_MS = 150_000;
