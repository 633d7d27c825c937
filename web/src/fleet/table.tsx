// The fleet as a table: the columns that the address asks for, ordered by one or several of them, under the heads of groups.
// Only the rows on the screen are in the page; rows without content keep the place of the others.
import { type ComponentChildren, Fragment } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { metricOf } from "../api/catalogue.ts";
import { setQuery } from "../router.ts";
import { Bad, SelectSome } from "./group_head.tsx";
import type { Group } from "./grouping.ts";
import { useKeys } from "./keys.ts";
import { lineOf, linesOf, placeOf } from "./lines.ts";
import { type Sorting, sortText, toggled } from "./order.ts";
import { selected, selecting } from "./selection.ts";
import { columns, hasSparks, isCompact, type Listed, searchText, sorts } from "./shown.ts";
import { Row } from "./table_row.tsx";
import { columnWords, isFact } from "./view.ts";
import { useWindowed } from "./windowed.ts";
import "../style/fleet_table.css";

/** Pixels. */
const NAME = 190;
const WIDTHS: Record<string, number> = { tags: 160, os: 170, state: 96, alerts: 84, age: 124, uptime: 96, version: 96 };

const widthOf = (column: string): number => WIDTHS[column] ?? (hasSparks.value ? 152 : 112);

interface TableProps {
  groups: readonly Group<Listed>[];
  isGrouped: boolean;
}

export function Table({ groups, isGrouped }: TableProps) {
  const box = useRef<HTMLDivElement>(null);
  const compact = isCompact.value;
  const [{ row: height, head, spare }, setSizes] = useState({ row: 40, head: 36, spare: 0 });
  useLayoutEffect(() => {
    const element = box.current as HTMLElement;
    const look = () => setSizes((before) => sizesOf(element, before));
    look();
    const watcher = new ResizeObserver(look);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [compact]);
  const lines = useMemo(
    () =>
      linesOf(
        groups.map(({ hosts }) => hosts.length),
        1,
        isGrouped,
      ),
    [groups, isGrouped],
  );
  const keys = useKeys(groups, (group, at) => lineOf(lines, group, at), box);
  const layout = useMemo(() => ({ lines, height }), [lines, height]);
  const { items, reveal } = useWindowed({
    count: lines.count,
    sizeOf: () => height,
    layout,
    box,
    scrolls: "box",
    // The head of the group at the upper edge stays there.
    keep: ({ startIndex }) =>
      isGrouped ? [...keys.keep, lines.blocks[placeOf(lines, startIndex).group]?.first ?? 0] : keys.keep,
    covered: { top: isGrouped ? height : 0, bottom: head + spare },
    overscan: 6,
    search: searchText.value,
  });
  keys.follow(reveal);
  const shown = columns.value;
  const heads = useMemo(() => <Heads shown={shown} groups={groups} />, [shown, groups]);
  const least = NAME + shown.reduce((sum, column) => sum + widthOf(column), 0);
  let end = 0;
  return (
    <section
      class={`fleet-table scroll ${compact ? "compact" : ""} ${
        selecting.value || selected.value.length > 0 ? "selecting" : ""
      }`}
      aria-label="Hosts"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: without a pointer only what has the focus can be scrolled
      tabIndex={0}
      ref={box}
      onFocusIn={keys.onFocusIn}
      // Comes to rest on whole rows: a box to select by that the head half covers is hard to hit.
      onScrollEnd={({ currentTarget }) => {
        currentTarget.scrollTop = Math.round(currentTarget.scrollTop / height) * height;
      }}
    >
      <table style={{ minWidth: `${least}px` }} aria-rowcount={lines.count + 1}>
        <colgroup>
          <col />
          {shown.map((column) => (
            <col key={column} style={{ width: `${widthOf(column)}px` }} />
          ))}
        </colgroup>
        {heads}
        <tbody>
          {items.map(({ index, start, end: until }) => {
            const gap = start - end;
            end = until;
            const { group, row } = placeOf(lines, index);
            const { name, hosts } = groups[group] as Group<Listed>;
            const host = row === null ? null : hosts[row];
            return (
              <Fragment key={row === null ? `head ${name}` : `${host?.id} ${name}`}>
                {gap > 0 && <Gap height={gap} span={shown.length + 1} />}
                {host ? (
                  <Row entry={host.entry} group={name} index={index + 2} columns={shown} />
                ) : (
                  <GroupRow name={name} hosts={hosts} index={index + 2} span={shown.length + 1} />
                )}
              </Fragment>
            );
          })}
          <Gap height={lines.count * height - end + spare} span={shown.length + 1} />
        </tbody>
      </table>
    </section>
  );
}

interface Sizes {
  row: number;
  head: number;
  /** What of the height below the head is no whole row: so much is left empty behind the last one. */
  spare: number;
}

/** What the style sheet says, in pixels; the same object as long as it says the same. */
function sizesOf(element: HTMLElement, before: Sizes): Sizes {
  const style = getComputedStyle(element);
  const [row = 0, head = 0] = ["--row", "--head"].map((name) => Number.parseFloat(style.getPropertyValue(name)));
  const spare = row > 0 ? (element.clientHeight - head) % row : 0;
  return row === before.row && head === before.head && spare === before.spare ? before : { row, head, spare };
}

/** In the place of rows that are not on the screen. */
function Gap({ height, span }: { height: number; span: number }) {
  if (height <= 0) return null;
  return (
    // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: there is nothing in it, and nothing to come to
    <tr class="gap" role="presentation">
      <td role="presentation" colSpan={span} style={{ height: `${height}px` }} />
    </tr>
  );
}

interface GroupRowProps {
  name: string;
  hosts: readonly Listed[];
  index: number;
  span: number;
}

function GroupRow({ name, hosts, index, span }: GroupRowProps) {
  const words = name || "Without a tag";
  return (
    <tr class="group-row" aria-rowindex={index}>
      <th scope="rowgroup" colSpan={span}>
        <span class="group-words">
          <SelectSome hosts={hosts} label={`Select all of ${words}`} />
          {words}
          <span class="muted">
            {hosts.length} {hosts.length === 1 ? "host" : "hosts"}
          </span>
          <Bad hosts={hosts} />
        </span>
      </th>
    </tr>
  );
}

function Heads({ shown, groups }: { shown: readonly string[]; groups: readonly Group<Listed>[] }) {
  const all = useMemo(() => [...new Set(groups.flatMap(({ hosts }) => hosts))], [groups]);
  return (
    <thead>
      <tr aria-rowindex={1}>
        <Heading column="name">
          <SelectSome hosts={all} label={`Select all ${all.length} that are shown`} />
        </Heading>
        {shown.map((column) => (
          <Heading key={column} column={column} />
        ))}
      </tr>
    </thead>
  );
}

interface HeadingProps {
  column: string;
  children?: ComponentChildren;
}

/** Orders by its column; with Shift by it after the others. */
function Heading({ column, children }: HeadingProps) {
  const all = sorts.value;
  const at = all.findIndex(({ by }) => by === column);
  const here = all[at];
  const words = columnWords(column);
  return (
    <th
      scope="col"
      class={isFact(column) || column === "name" ? "" : "n"}
      aria-sort={here && at === 0 ? (here.descending ? "descending" : "ascending") : undefined}
      title={metricOf(column)?.metric.meaning}
    >
      <span class="heading">
        {children}
        <button
          type="button"
          class="quiet"
          title="Sort by this column; Shift-click to add it"
          onClick={({ shiftKey }) => setQuery({ sort: sortText(toggled(all, column, shiftKey)) })}
        >
          {words}
          {here && <Arrow sorting={here} place={all.length > 1 ? at + 1 : null} />}
        </button>
      </span>
    </th>
  );
}

function Arrow({ sorting, place }: { sorting: Sorting; place: number | null }) {
  return (
    <>
      <span aria-hidden="true">
        {sorting.descending ? "↓" : "↑"}
        {place}
      </span>
      {place !== null && <span class="hidden">, {place} of the order</span>}
    </>
  );
}
