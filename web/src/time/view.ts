// Which range the charts of a page show: the window is in the URL, the way back out of zooms in the history's entry.
import { type ReadonlySignal, useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { ChartView } from "../charts/source.ts";
import {
  type FixedWindow,
  held,
  lastOf,
  liveWindow,
  moved,
  parseWindow,
  type Window,
  windowQuery,
  zoomed,
} from "../charts/window.ts";
import { deeper, shallower } from "../charts/zooms.ts";
import { memory, query, type Step, setQuery } from "../router.ts";

export interface TimeView extends ChartView {
  pick: (preset: string) => void;
  /** The last so many milliseconds. */
  last: (span_ms: number) => void;
  /** From one time to another, as a new step of the history. */
  between: (from: number, to: number) => void;
  /** Holds what is in view still, or follows the present again. */
  toggleLive: () => void;
  /** Moves by a share of the length, and stretches; see `moved`. */
  move: (share: number, factor: number) => void;
}

/** `edge`: where a live window ends. */
export function useTimeView(edge: ReadonlySignal<number>): TimeView {
  // As a text first: what else the address says does not move the window, and charts ask again when it moves.
  const asked = useComputed(() => JSON.stringify(parseWindow(query.value)));
  const window = useComputed<Window>(() => JSON.parse(asked.value));
  return useMemo(() => {
    const go = (next: Window, step: Step = {}) => setQuery(windowQuery(next), step);
    /** The way back leads to what was followed or held, not through each press of a key or touch of two fingers. */
    const onward = (): Step => {
      const shown = window.peek();
      return { replace: shown.kind === "fixed" && !shown.paused };
    };
    const fixed = (from: number, to: number): FixedWindow => ({
      kind: "fixed",
      from,
      to,
      preset: window.peek().preset,
      paused: false,
    });
    return {
      window,
      edge,
      pick: (preset) => go(liveWindow(preset), { memory: null }),
      last: (span_ms) => go(lastOf(span_ms), { memory: null }),
      between: (from, to) => go(fixed(from, to), { memory: deeper(memory.peek(), window.peek()) }),
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
      show: (from, to) => go(fixed(from, to), onward()),
      move: (share, factor) => go(moved(window.peek(), edge.peek(), share, factor), onward()),
    };
  }, [window, edge]);
}
