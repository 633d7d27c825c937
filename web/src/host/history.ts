// The stored part of a host's charts: one request a family, made again when the window changes, moves on, or failed.
import type { ReadonlySignal } from "@preact/signals";
import { get } from "../api/client.ts";
import { type Loader, type Loading, loader } from "../api/loading.ts";
import type { SeriesAnswer } from "../api/types.gen.ts";
import type { Stored } from "../charts/source.ts";
import { bounds, refetchAfter, STORED_AFTER_MS, type Window } from "../charts/window.ts";
import { metricsOfFamily } from "./charts.ts";

export interface Asked {
  families: readonly string[];
  window: Window;
  points: number;
  /** Whether values are polled because there is no stream: then charts move on by asking. */
  polled: boolean;
  /** The right edge of a live window. */
  edge: () => number;
  now: () => number;
}

export interface History {
  of: (family: string) => ReadonlySignal<Loading<Stored>>;
  /** Asks for one family at once. */
  retry: (family: string) => void;
  /** Shows what is asked for, and keeps it fresh. What was loaded before stays until the answers are there. */
  show: (asked: Asked) => void;
  /** Asks for the same again: something was missed. */
  refresh: () => void;
  close: () => void;
}

export function openHistory(host: string): History {
  const loaders = new Map<string, Loader<Stored>>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let asked: Asked | null = null;

  async function ask(family: string, asked: Asked, signal: AbortSignal): Promise<Stored> {
    const { window, points, polled, edge, now } = asked;
    clearTimeout(timers.get(family));
    const { from, to } = bounds(window, edge());
    const present = now();
    const query = new URLSearchParams({
      metrics: metricsOfFamily(family).join(),
      from: String(Math.floor(from)),
      to: String(Math.ceil(to)),
      points: String(points),
    });
    // Not before the answer is there, so that a slow gateway is not asked more often than it answers.
    const answer = await get<SeriesAnswer>(`/hosts/${encodeURIComponent(host)}/series?${query}`, signal);
    const again_ms = refetchAfter(window, answer.step_ms, now(), polled);
    if (again_ms !== null && !signal.aborted)
      timers.set(
        family,
        setTimeout(() => loaders.get(family)?.load(), again_ms),
      );
    // Without a stream nothing else tells of the last seconds, which are stored only later.
    const told = polled ? present - STORED_AFTER_MS : present;
    return { answer, known: { from: answer.from, to: Math.min(answer.to, told) } };
  }

  function loaderOf(family: string): Loader<Stored> {
    let found = loaders.get(family);
    if (!found) {
      found = loader((signal) => ask(family, asked as Asked, signal));
      loaders.set(family, found);
    }
    return found;
  }

  return {
    of: (family) => loaderOf(family).state,
    retry: (family) => loaderOf(family).load(),
    show(next) {
      asked = next;
      for (const family of next.families) loaderOf(family).load();
    },
    refresh() {
      for (const family of asked?.families ?? []) loaderOf(family).refresh();
    },
    close() {
      for (const one of loaders.values()) one.close();
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
