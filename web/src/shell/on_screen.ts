// Whether an element is on the screen, or nearly.
import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** One observer for all elements: a thousand of them would be asked in every frame. */
const seen = new WeakMap<Element, Signal<boolean>>();
const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      const visible = seen.get(entry.target);
      if (visible) visible.value = entry.isIntersecting;
    }
  },
  { rootMargin: "200px" },
);

export function useOnScreen<T extends Element>(): [RefObject<T | null>, Signal<boolean>] {
  const box = useRef<T>(null);
  const visible = useSignal(false);
  useEffect(() => {
    const element = box.current as T;
    seen.set(element, visible);
    watcher.observe(element);
    return () => watcher.unobserve(element);
  }, [visible]);
  return [box, visible];
}
