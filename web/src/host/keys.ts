// Keys of a host's page: arrows pan by half a window, + and - zoom, l pauses and goes live.
import type { ReadonlySignal, Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { moved, type Window, windowQuery } from "../charts/window.ts";
import { setQuery } from "../router.ts";
import { toggleLive } from "./range.tsx";

export function useKeys(
  window: ReadonlySignal<Window>,
  edge: ReadonlySignal<number>,
  lastPreset: Signal<string>,
): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as Element).closest("input, select, textarea, dialog")) return;
      const change = { ArrowLeft: [-0.5, 1], ArrowRight: [0.5, 1], "+": [0, 0.5], "-": [0, 2] }[event.key];
      if (event.key === "l") toggleLive(window.peek(), edge.peek(), lastPreset.peek());
      else if (change)
        setQuery(windowQuery(moved(window.peek(), edge.peek(), change[0] as number, change[1] as number)));
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [window, edge, lastPreset]);
}
