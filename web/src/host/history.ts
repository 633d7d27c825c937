// The stored part of a host's charts: one request a family, fetched again when the window moves on or changes.
import { type Signal, signal } from "@preact/signals";
import { get, reasonOf } from "../api/client.ts";
import type { SeriesAnswer } from "../api/types.gen.ts";
import { bounds, refetchAfter, stepFor, type Window } from "../charts/window.ts";
import { metricsOfFamily, periodOf } from "./charts.ts";

export interface Stored {
  answer: SeriesAnswer | null;
  /** Step of the answer in view, or the one that the answer on its way will have. */
  step_ms: number;
  loading: boolean;
  error: string | null;
}

const NOTHING: Stored = { answer: null, step_ms: 1000, loading: false, error: null };
/** Agents send batches of some seconds: the end of a window that was just paused is stored only a little later. */
const STORED_AFTER_MS = 20_000;

export interface History {
  of: (family: string) => Signal<Stored>;
  /** Shows `window` of `families`, and keeps it fresh while it is live. */
  show: (families: readonly string[], window: Window, points: number, now: () => number) => void;
  close: () => void;
}

export function openHistory(host: string): History {
  const families = new Map<string, Signal<Stored>>();
  let abort = new AbortController();

  const of = (family: string): Signal<Stored> => {
    let found = families.get(family);
    if (!found) {
      found = signal(NOTHING);
      families.set(family, found);
    }
    return found;
  };

  async function load(
    family: string,
    window: Window,
    points: number,
    now: () => number,
    signal: AbortSignal,
  ): Promise<void> {
    const target = of(family);
    const { from, to } = bounds(window, now());
    const expected = stepFor(to - from, points, periodOf(family));
    target.value = { ...target.peek(), loading: true };
    const query = new URLSearchParams({
      metrics: metricsOfFamily(family).join(),
      from: String(Math.floor(from)),
      to: String(Math.ceil(to)),
      points: String(points),
    });
    try {
      const answer = await get<SeriesAnswer>(`/hosts/${encodeURIComponent(host)}/series?${query}`, signal);
      target.value = { answer, step_ms: answer.step_ms, loading: false, error: null };
    } catch (error) {
      if (signal.aborted) return;
      target.value = { answer: null, step_ms: expected, loading: false, error: reasonOf(error) };
    }
    let again_ms: number | null = null;
    if (window.kind === "live") again_ms = target.peek().error ? 10_000 : refetchAfter(target.peek().step_ms);
    else if (to > now() - STORED_AFTER_MS) again_ms = STORED_AFTER_MS;
    if (again_ms === null) return;
    const timer = setTimeout(() => void load(family, window, points, now, signal), again_ms);
    signal.addEventListener("abort", () => clearTimeout(timer));
  }

  return {
    of,
    show(wanted, window, points, now) {
      abort.abort();
      abort = new AbortController();
      for (const family of wanted) void load(family, window, points, now, abort.signal);
    },
    close: () => abort.abort(),
  };
}
