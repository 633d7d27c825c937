// What the charts of a host's page show: the window is in the URL, the way back out of zooms in the history's entry.
import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { ChartView } from "../charts/source.ts";
import type { Stretch } from "../charts/stretches.ts";
import { held, liveWindow, moved, parseWindow, type Window, windowQuery, zoomed } from "../charts/window.ts";
import { deeper, shallower } from "../charts/zooms.ts";
import { known, live, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { memory, query, setQuery } from "../router.ts";
import { edgeOf } from "./edge.ts";

export interface View extends ChartView {
  /** The stretch of which the live stream told, up to now while it is there; null before it first was. */
  streamed: ReadonlySignal<Stretch | null>;
  pick: (preset: string) => void;
  /** Holds what is in view still, or follows the present again. */
  toggleLive: () => void;
  /** Moves by a share of the length, and stretches; see `moved`. */
  move: (share: number, factor: number) => void;
}

export function useView(entry: Entry): View {
  const window = useComputed<Window>(() => parseWindow(query.value));
  const edge = useEdge(entry);
  const streamed = useStreamed();
  return useMemo(() => {
    const go = (next: Window, step = {}) => setQuery(windowQuery(next), step);
    return {
      window,
      edge,
      streamed,
      pick: (preset) => go(liveWindow(preset), { memory: null }),
      toggleLive: () => {
        const shown = window.peek();
        if (shown.kind === "live") go(held(shown, edge.peek()));
        else go(liveWindow(shown.preset), { memory: null });
      },
      zoomIn: (a, b) => {
        const next = zoomed(window.peek(), edge.peek(), a, b);
        if (next) go(next, { memory: deeper(memory.peek(), window.peek()) });
      },
      zoomOut: () => {
        const before = shallower(memory.peek());
        if (before) go(before.window, { memory: before.memory });
        else if (window.peek().kind === "fixed") go(liveWindow(window.peek().preset));
      },
      show: (from, to) =>
        go({ kind: "fixed", from, to, preset: window.peek().preset, paused: false }, { replace: true }),
      // One press of a key after the other is nothing that anybody wants to step back through.
      move: (share, factor) => go(moved(window.peek(), edge.peek(), share, factor), { replace: true }),
    };
  }, [window, edge, streamed]);
}

function useEdge(entry: Entry): ReadonlySignal<number> {
  const before = useMemo(() => ({ edge: null as number | null }), [entry]);
  return useComputed(() => {
    entry.tick.value;
    const { state } = entry.host.value;
    // A host that is up moves its charts with its samples, not with the clock.
    const still = state === "up" && entry.lastSample !== null;
    before.edge = edgeOf(
      {
        state,
        known: known.value,
        live: live.value,
        lastSample: entry.lastSample,
        now: still ? 0 : now.value,
      },
      before.edge,
    );
    return before.edge;
  });
}

function useStreamed(): ReadonlySignal<Stretch | null> {
  const streamed = useSignal<Stretch | null>(null);
  useSignalEffect(() => {
    if (live.value) streamed.value = { from: now.peek(), to: Number.POSITIVE_INFINITY };
    else if (streamed.peek()) streamed.value = { from: streamed.peek()?.from ?? 0, to: now.peek() };
  });
  return streamed;
}
