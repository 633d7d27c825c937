// What is stored of a host, for its charts: asked for while some chart on the screen shows it, and again when the window
// changes, moves on, or the request failed.
import type { ReadonlySignal } from "@preact/signals-core";
import { type Loader, type Loading, loader } from "../api/loading.ts";
import type { SeriesAnswer } from "../api/types.gen.ts";
import type { Stored } from "../charts/source.ts";
import { bounds, refetchAfter, STORED_AFTER_MS, type Window } from "../charts/window.ts";

export interface Asked {
  window: Window;
  points: number;
  /** Whether values are polled because there is no stream: then charts move on by asking. */
  polled: boolean;
  /** The right edge of a live window. */
  edge: () => number;
  now: () => number;
}

export interface History {
  /** What a request answers. `metrics` are always the same for one name. */
  of: (request: string, metrics: readonly string[]) => ReadonlySignal<Loading<Stored>>;
  /** Somebody looks at what a request answers, until the function returned is called. */
  watch: (request: string) => () => void;
  /** Asks at once. */
  retry: (request: string) => void;
  /** Asks for what has to be fetched again by now. Time that stands still, as in a hidden tab, asks for nothing. */
  tick: (now: number) => void;
  /** Shows what is asked for, and keeps it fresh. What was loaded before stays until the answers are there. */
  show: (asked: Asked) => void;
  /** Asks for the same again: something was missed. */
  refresh: () => void;
  close: () => void;
}

interface Kept {
  loader: Loader<Stored>;
  watchers: number;
  /** Not asked for since the window changed, or since it should have been asked for again. */
  stale: boolean;
  /** When it has to be fetched again; never, while it is on its way or does not change any more. */
  due: number;
}

/** `fetch` is given the query of an answer. */
export function openHistory(fetch: (query: URLSearchParams, signal: AbortSignal) => Promise<SeriesAnswer>): History {
  const requests = new Map<string, Kept>();
  let asked: Asked | null = null;

  async function ask(metrics: readonly string[], kept: Kept, signal: AbortSignal): Promise<Stored> {
    const { window, points, polled, edge, now } = asked as Asked;
    kept.due = Number.POSITIVE_INFINITY;
    const { from, to } = bounds(window, edge());
    const present = now();
    const query = new URLSearchParams({
      metrics: metrics.join(),
      from: String(Math.floor(from)),
      to: String(Math.ceil(to)),
      points: String(points),
    });
    // Not before the answer is there, so that a slow gateway is not asked more often than it answers.
    const answer = await fetch(query, signal);
    const again_ms = refetchAfter(window, answer.step_ms, now(), polled);
    if (again_ms !== null && !signal.aborted) kept.due = now() + again_ms;
    // Without a stream nothing else tells of the last seconds, which are stored only later.
    const told = polled ? present - STORED_AFTER_MS : present;
    return { answer, known: { from: answer.from, to: Math.min(answer.to, told) } };
  }

  /** Asks now where somebody looks, otherwise when somebody does. */
  function want(kept: Kept): void {
    kept.due = Number.POSITIVE_INFINITY;
    kept.stale = kept.watchers === 0 || asked === null;
    if (!kept.stale) kept.loader.load();
  }

  function kept(request: string, metrics: readonly string[]): Kept {
    let found = requests.get(request);
    if (!found) {
      const made: Kept = {
        loader: loader((signal) => ask(metrics, made, signal)),
        watchers: 0,
        stale: true,
        due: Number.POSITIVE_INFINITY,
      };
      found = made;
      requests.set(request, made);
    }
    return found;
  }

  return {
    tick(now) {
      for (const one of requests.values()) if (one.due <= now) want(one);
    },
    of: (request, metrics) => kept(request, metrics).loader.state,
    watch(request) {
      const one = requests.get(request);
      if (!one) return () => {};
      one.watchers += 1;
      if (one.stale) want(one);
      return () => {
        one.watchers -= 1;
      };
    },
    retry: (request) => requests.get(request)?.loader.load(),
    show(next) {
      asked = next;
      for (const one of requests.values()) want(one);
    },
    refresh() {
      for (const one of requests.values())
        if (one.watchers > 0 && asked) one.loader.refresh();
        else one.stale = true;
    },
    close() {
      for (const one of requests.values()) one.loader.close();
    },
  };
}
