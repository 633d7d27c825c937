// Which lines of a long list are on the screen, or nearly, while it is scrolled. The list knows how high its lines are.
import {
  defaultRangeExtractor,
  elementScroll,
  observeElementOffset,
  observeElementRect,
  observeWindowOffset,
  observeWindowRect,
  type Range,
  type VirtualItem,
  Virtualizer,
  windowScroll,
} from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useLayoutEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { useRested } from "./rested.ts";

export interface WindowedList {
  count: number;
  /** Pixels of a line, the gap behind it included. */
  sizeOf: (line: number) => number;
  /** Another value when lines are otherwise than before. */
  layout: unknown;
  /** Where the list is in the page. */
  box: RefObject<HTMLElement | null>;
  /** What scrolls: the page, or `box` itself. */
  scrolls: "page" | "box";
  /** Lines that stay although they are off the screen, such as one that has the focus. */
  keep: (range: Range) => readonly number[];
  /** Pixels at the upper and lower edge that something else covers. */
  covered: { top: number; bottom: number };
  /** Lines beyond the screen, on either side, once the page rests. */
  overscan: number;
  /** Another value when other lines come on the screen, and soon: those beyond it wait until the page rests. */
  search: unknown;
}

export interface Windowed {
  /** Ascending. */
  items: readonly VirtualItem[];
  /** Scrolls as little as it takes to see a line. */
  reveal: (line: number) => void;
}

/** Most lines that are printed. */
const PRINTED = 2000;

export function useWindowed(list: WindowedList): Windowed {
  const [, again] = useReducer((count: number) => count + 1, 0);
  const margin = useRef(0);
  const printing = useRef(false);
  // A function of its own for each layout: it is by this that the sizes are asked for anew.
  const keyOf = useMemo(() => (line: number) => line, [list.layout]);
  const rested = useRested(list.search);
  const common = {
    count: list.count,
    estimateSize: list.sizeOf,
    getItemKey: keyOf,
    overscan: rested ? list.overscan : 0,
    scrollPaddingStart: list.covered.top,
    scrollPaddingEnd: list.covered.bottom,
    rangeExtractor: (range: Range) =>
      printing.current
        ? Array.from({ length: Math.min(list.count, PRINTED) }, (_, line) => line)
        : [...new Set([...defaultRangeExtractor(range), ...list.keep(range)])]
            .filter((line) => line >= 0 && line < list.count)
            .sort((a, b) => a - b),
    onChange: () => again(undefined),
  };
  const inPage = {
    ...common,
    getScrollElement: () => window,
    scrollMargin: margin.current,
    initialRect: { width: innerWidth, height: innerHeight },
    initialOffset: () => scrollY,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll<Window>,
  };
  const inBox = {
    ...common,
    getScrollElement: () => list.box.current,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll<HTMLElement>,
    initialRect: { width: innerWidth, height: innerHeight },
  };
  // The two differ in nothing but what scrolls, which does not change while the list is there.
  const options = (list.scrolls === "page" ? inPage : inBox) as typeof inBox;
  const made = useRef<Virtualizer<HTMLElement, HTMLElement> | null>(null);
  made.current ??= new Virtualizer(options);
  const virtualizer = made.current;
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => {
    if (list.scrolls !== "page") return;
    const measure = () => {
      const top = Math.round((list.box.current?.getBoundingClientRect().top ?? 0) + scrollY);
      if (top === margin.current) return;
      margin.current = top;
      again(undefined);
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(document.body);
    return () => watcher.disconnect();
  }, [list.scrolls, list.box]);
  useLayoutEffect(() => {
    const turn = (on: boolean) => () => {
      printing.current = on;
      again(undefined);
    };
    const [begin, end] = [turn(true), turn(false)];
    addEventListener("beforeprint", begin);
    addEventListener("afterprint", end);
    return () => {
      removeEventListener("beforeprint", begin);
      removeEventListener("afterprint", end);
    };
  }, []);
  return {
    items: virtualizer.getVirtualItems(),
    reveal: (line) => virtualizer.scrollToIndex(line, { align: "auto" }),
  };
}
