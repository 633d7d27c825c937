// How many points the charts of a page ask for.
import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { pointsFor } from "./window.ts";

/** As many as the charts in `box` have pixels; 0 until it is measured. */
export function usePoints(box: RefObject<HTMLElement | null>): ReadonlySignal<number> {
  const points = useSignal(0);
  useEffect(() => {
    const element = box.current as HTMLElement;
    const measure = () => {
      points.value = pointsFor(element.querySelector(".plot")?.clientWidth ?? element.clientWidth);
    };
    // Also when a chart comes: it makes the element higher.
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [points, box]);
  return points;
}
