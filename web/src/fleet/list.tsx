// The fleet as a grid of cards or cells, under the heads of its groups. Only what is on the screen is in the page; the grid
// knows its height without the others.
import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Entry } from "../live/store.ts";
import { GroupHead } from "./group_head.tsx";
import type { Group } from "./grouping.ts";
import { useKeys } from "./keys.ts";
import { hostsIn, lineOf, linesOf, partsOf, placeOf } from "./lines.ts";
import { selected, selecting } from "./selection.ts";
import { type Listed, searchText } from "./shown.ts";
import { useWindowed } from "./windowed.ts";

export interface ItemProps {
  entry: Entry;
  /** The group that it stands in. */
  group: string;
  /** Place among the hosts of its group, from 1, and how many these are. */
  place: number;
  of: number;
  /** Row and column of the grid, from 1. */
  row: number;
  column: number;
  /** Of its heading. */
  level: 2 | 3;
}

interface ListProps {
  groups: readonly Group<Listed>[];
  /** Class of the list, which says how large items are: `--least`, `--item`, `--gap` and `--head`, in pixels. */
  kind: "cards" | "cells" | "cells roomy";
  Item: ComponentType<ItemProps>;
  isGrouped: boolean;
  /** A last item that is no host. */
  more?: ComponentChildren;
}

interface Shape {
  columns: number;
  item: number;
  gap: number;
  head: number;
  /** Height of what stays at the top of the page, and covers the list there. */
  top: number;
}

const FIRST: Shape = { columns: 1, item: 150, gap: 8, head: 0, top: 0 };

export function HostList({ groups, kind, Item, isGrouped, more }: ListProps) {
  const box = useRef<HTMLDivElement>(null);
  const [shape, setShape] = useState(FIRST);
  useLayoutEffect(() => {
    const element = box.current as HTMLElement;
    const look = () => setShape((before) => shapeOf(element, before));
    look();
    const watcher = new ResizeObserver(look);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [kind]);
  useScrollKept(shape !== FIRST);
  const { lines, tops, height } = useMemo(
    () => laidOut(groups, shape, isGrouped, more ? 1 : 0),
    [groups, shape, isGrouped, more],
  );
  const keys = useKeys(groups, (group, at) => lineOf(lines, group, at), box);
  const { items, reveal } = useWindowed({
    count: lines.count,
    sizeOf: (line) => (placeOf(lines, line).row === null ? shape.head : shape.item + shape.gap),
    layout: lines,
    box,
    scrolls: "page",
    keep: () => keys.keep,
    covered: { top: shape.top + (isGrouped ? shape.head : 0) + shape.gap, bottom: 80 },
    overscan: 2,
    search: searchText.value,
  });
  keys.follow(reveal);
  return (
    <div
      class={`list ${kind} ${selecting.value || selected.value.length > 0 ? "selecting" : ""}`}
      ref={box}
      style={{ height: `${height}px` }}
      onFocusIn={keys.onFocusIn}
    >
      {partsOf(
        lines,
        items.map(({ index }) => index),
      ).map((part) => {
        const { name, hosts } = groups[part.group] as Group<Listed>;
        return (
          <section
            key={name}
            class="host-group"
            aria-label={isGrouped ? name || "Without a tag" : "Hosts"}
            style={{ top: `${tops[part.group]}px` }}
          >
            {isGrouped && <GroupHead name={name} hosts={hosts} />}
            <ul
              style={{
                gridTemplateColumns: `repeat(${shape.columns}, minmax(0, 1fr))`,
                gridTemplateRows: `repeat(${lines.blocks[part.group]?.rows}, ${shape.item}px)`,
              }}
            >
              {hostsIn(lines, part).map((at) => {
                const host = hosts[at];
                if (!host) return more;
                return (
                  <Item
                    key={host.id}
                    entry={host.entry}
                    group={name}
                    place={at + 1}
                    of={hosts.length}
                    row={Math.floor(at / shape.columns) + 1}
                    column={(at % shape.columns) + 1}
                    level={isGrouped ? 3 : 2}
                  />
                );
              })}
            </ul>
          </section>
        );
      })}
    </div>
  );
}

/** Where the page was scrolled to when the list was left, and what it showed. */
let left = { search: "", y: 0 };

/** Whoever comes back to the same hosts finds the page where it was. `ready`: the list has its height. */
function useScrollKept(ready: boolean): void {
  useEffect(() => {
    if (!ready) return;
    const note = () => {
      // A page that is left is scrolled to its beginning, which says nothing of this one.
      if (location.pathname === "/") left = { search: location.search, y: scrollY };
    };
    if (left.search === location.search && left.y > 0 && scrollY === 0) scrollTo(0, left.y);
    addEventListener("scroll", note, { passive: true });
    return () => removeEventListener("scroll", note);
  }, [ready]);
}

/** The lines of the list, and in pixels where each group begins and how high all of them are. */
function laidOut(groups: readonly Group<Listed>[], shape: Shape, isGrouped: boolean, more: number) {
  const sizes = groups.map(({ hosts }, at) => hosts.length + (at === groups.length - 1 ? more : 0));
  const lines = linesOf(sizes, shape.columns, isGrouped);
  let height = 0;
  const tops = lines.blocks.map(({ rows }) => {
    const top = height;
    height += rows * (shape.item + shape.gap) + (isGrouped ? shape.head : 0);
    return top;
  });
  return { lines, tops, height };
}

/** What the style sheet says of the list at its width; the same object as long as it says the same. */
function shapeOf(element: HTMLElement, before: Shape): Shape {
  const style = getComputedStyle(element);
  const pixels = (name: string) => Number.parseFloat(style.getPropertyValue(name)) || 0;
  const [least, item, gap, head] = ["--least", "--item", "--gap", "--head"].map(pixels) as [
    number,
    number,
    number,
    number,
  ];
  const width = element.clientWidth;
  const columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
  const next = { columns, item, gap, head, top: Number.parseFloat(style.scrollMarginTop) || 0 };
  return JSON.stringify(next) === JSON.stringify(before) ? before : next;
}
