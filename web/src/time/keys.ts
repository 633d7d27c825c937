// Keys of a page with charts: arrows pan by half a window, + and - zoom, l pauses and goes live.
import { useEffect } from "preact/hooks";
import type { TimeView } from "./view.ts";

const MOVES: Record<string, [share: number, factor: number]> = {
  ArrowLeft: [-0.5, 1],
  ArrowRight: [0.5, 1],
  "+": [0, 0.5],
  "-": [0, 2],
};

export function useTimeKeys({ move, toggleLive }: TimeView): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      // Where arrows already have a meaning they keep it.
      if ((event.target as Element).closest("input, select, textarea, dialog, [tabindex='0']")) return;
      const change = Object.hasOwn(MOVES, event.key) ? MOVES[event.key] : undefined;
      if (event.key === "l") toggleLive();
      else if (change) move(...change);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [move, toggleLive]);
}
