// What a part of a page has asked the gateway for: on its way, there, out of date, or refused. One shape for all pages, so
// that the four never look like one another, nor like a gap in the data.
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { Failure } from "./client.ts";

export interface Loading<T> {
  /** The last answer; null before the first. */
  readonly value: T | null;
  readonly loading: boolean;
  /** Why the last request failed, for people; null when it did not. With a value beside it, that value is out of date. */
  readonly error: string | null;
  /** Whether the gateway refused it for good: it is not tried again by itself. */
  readonly refused?: true;
}

export interface Loader<T> {
  readonly state: ReadonlySignal<Loading<T>>;
  /** Asks (again), for something else than before: what is on its way is given up. */
  load: () => void;
  /** Asks for the same again; while an answer is on its way, once more after it. */
  refresh: () => void;
  /** Takes a value that came by another way; what is on its way is older, and given up. */
  put: (value: T) => void;
  /** Gives up what is on its way and does not ask again. */
  close: () => void;
}

/** How long after a failure it is tried again by itself. */
export const AGAIN_MS = 10_000;

/** Of the statuses that say that the request is wrong, those that another moment may change: login, time-out, too many. */
const PASSING: ReadonlySet<number> = new Set([401, 408, 425, 429]);

const isRefused = ({ status }: Failure): boolean => status >= 400 && status < 500 && !PASSING.has(status);

export function loader<T>(ask: (signal: AbortSignal) => Promise<T>): Loader<T> {
  const state: Signal<Loading<T>> = signal({ value: null, loading: false, error: null });
  let abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;

  async function run(signal: AbortSignal): Promise<void> {
    state.value = { ...state.peek(), loading: true };
    try {
      const value = await ask(signal);
      if (!signal.aborted) state.value = { value, loading: false, error: null };
    } catch (error) {
      if (signal.aborted) return;
      const { value } = state.peek();
      const known = error instanceof Failure;
      const reason = known ? error.message : "The gateway's answer could not be read.";
      if (known && isRefused(error)) state.value = { value, loading: false, error: reason, refused: true };
      else {
        state.value = { value, loading: false, error: reason };
        timer = setTimeout(load, AGAIN_MS);
      }
      if (!known) reportError(error);
    }
    if (again && !signal.aborted) load();
  }
  function close(): void {
    again = false;
    clearTimeout(timer);
    abort.abort();
  }
  function load(): void {
    close();
    abort = new AbortController();
    void run(abort.signal);
  }
  return {
    state,
    load,
    refresh: () => {
      if (state.peek().loading) again = true;
      else load();
    },
    put: (value) => {
      close();
      state.value = { value, loading: false, error: null };
    },
    close: () => {
      close();
      state.value = { ...state.peek(), loading: false };
    },
  };
}
