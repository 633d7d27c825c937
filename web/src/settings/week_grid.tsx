// A week to paint hours on: by dragging over it, or with keys; half an hour a cell, a day a row.
import { useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { DAY_WORDS, type Day } from "../alerts/telling.ts";
import type { Span } from "../api/types.gen.ts";
import { type Cell, cellWords, DAYS, fillOf, inside, painted, SLOTS, spansOf, weekOf } from "./week.ts";
import "../style/week.css";

interface WeekGridProps {
  /** What it is a week of: `Quiet hours`. */
  label: string;
  spans: readonly Span[];
  onChange: (spans: Span[]) => void;
}

/** The cells that are about to be covered or freed: where it began, and where it has come to. */
interface Corners {
  one: Cell;
  other: Cell;
  /** With the mouse or a finger, which ends it. */
  dragged: boolean;
}

const KEYS: Record<string, [days: number, slots: number]> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  Home: [0, -SLOTS],
  End: [0, SLOTS],
};

const START: Cell = { day: 0, slot: 0 };
const within = (value: number, below: number): number => Math.max(0, Math.min(below - 1, value));

export function WeekGrid({ label, spans, onChange }: WeekGridProps) {
  const grid = useRef<HTMLDivElement>(null);
  const corners = useSignal<Corners>({ one: START, other: START, dragged: false });
  const { one, other, dragged } = corners.value;
  const several = one.day !== other.day || one.slot !== other.slot;
  const stored = useMemo(() => weekOf(spans), [spans]);
  const week = useMemo(() => (dragged ? painted(stored, one, other) : stored), [stored, dragged, one, other]);

  const paint = (from: Cell, to: Cell) => onChange(spansOf(painted(stored, from, to)));

  /** The cell under the pointer, or the nearest one. */
  function cellAt(event: PointerEvent): Cell {
    const all = (grid.current as HTMLElement).querySelectorAll("[role=gridcell]");
    const first = (all[0] as Element).getBoundingClientRect();
    const last = (all[all.length - 1] as Element).getBoundingClientRect();
    const share = (at: number, from: number, to: number) => (at - from) / (to - from);
    return {
      day: within(Math.floor(7 * share(event.clientY, first.top, last.bottom)), 7),
      slot: within(Math.floor(SLOTS * share(event.clientX, first.left, last.right)), SLOTS),
    };
  }
  function onPointerDown(event: PointerEvent): void {
    if (event.button !== 0 || !(event.target as Element).closest("[role=gridcell]")) return;
    const at = cellAt(event);
    corners.value = { one: at, other: at, dragged: true };
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    event.preventDefault();
    focus(at);
  }
  function onPointerMove(event: PointerEvent): void {
    if (corners.value.dragged) corners.value = { ...corners.value, other: cellAt(event) };
  }
  function onPointerUp(): void {
    const now = corners.value;
    if (!now.dragged) return;
    corners.value = { one: now.other, other: now.other, dragged: false };
    paint(now.one, now.other);
  }
  /** The page is scrolled instead: nothing was meant. */
  function onPointerCancel(): void {
    corners.value = { one: START, other: START, dragged: false };
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : undefined;
    if (step) {
      const next = { day: within(other.day + step[0], 7), slot: within(other.slot + step[1], SLOTS) };
      corners.value = { one: event.shiftKey ? one : next, other: next, dragged: false };
      focus(next);
    } else if (event.key === " " || event.key === "Enter") {
      paint(one, other);
      corners.value = { one: other, other, dragged: false };
    } else if (event.key === "Escape" && several) {
      corners.value = { one: other, other, dragged: false };
      event.stopPropagation();
    } else return;
    event.preventDefault();
  }
  function focus({ day, slot }: Cell): void {
    grid.current?.querySelector<HTMLElement>(`[data-cell="${day}-${slot}"]`)?.focus({ preventScroll: true });
  }

  const words = several || dragged ? cellWords(one, other) : "";
  return (
    <div class="week">
      <div class="week-hours" aria-hidden="true">
        {[0, 6, 12, 18, 24].map((hour) => (
          <span key={hour} style={{ left: `${(100 * hour) / 24}%` }}>
            {hour}
          </span>
        ))}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: cells of a table do not lie on a grid of equal columns. */}
      <div
        ref={grid}
        class="week-grid"
        role="grid"
        tabIndex={-1}
        aria-label={`${label}, by half hours`}
        aria-multiselectable="true"
        aria-describedby="week-keys"
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={onPointerCancel}
        onKeyDown={onKeyDown}
        onFocusIn={({ target }) => {
          // However it got there, keys go on from there.
          const [day, slot] = ((target as HTMLElement).dataset.cell ?? "").split("-").map(Number);
          if (day === undefined || slot === undefined || corners.peek().dragged) return;
          const now = corners.peek().other;
          if (now.day === day && now.slot === slot) return;
          corners.value = { one: { day, slot }, other: { day, slot }, dragged: false };
        }}
      >
        {DAYS.map((name, day) => (
          <Row
            key={name}
            name={name}
            fills={Array.from({ length: SLOTS }, (_, slot) => fillOf(week, { day, slot }))}
            day={day}
            focused={other.day === day ? other.slot : null}
            marked={(slot) => several && !dragged && inside({ day, slot }, one, other)}
          />
        ))}
      </div>
      <p class="hint" id="week-keys">
        <span class={words ? "hidden" : ""}>
          Drag to paint<span class="by-keys">; or arrows, Shift to extend, Space to paint</span>.
        </span>
        <b role="status">{words}</b>
      </p>
    </div>
  );
}

interface RowProps {
  name: Day;
  day: number;
  fills: readonly ("none" | "part" | "all")[];
  /** The cell that Tab comes to. */
  focused: number | null;
  /** Whether Space would paint this cell, too. */
  marked: (slot: number) => boolean;
}

function Row({ name, day, fills, focused, marked }: RowProps) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: its cells take the focus.
    // biome-ignore lint/a11y/useSemanticElements: as the grid.
    <div role="row" class="week-row">
      {/* biome-ignore lint/a11y/useFocusableInteractive: its cells take the focus. */}
      {/* biome-ignore lint/a11y/useSemanticElements: as the grid. */}
      <span role="rowheader">{DAY_WORDS[name]}</span>
      {fills.map((fill, slot) => (
        // biome-ignore lint/a11y/useSemanticElements: as the grid.
        <div
          key={slot}
          role="gridcell"
          class={`${fill} ${marked(slot) ? "marked" : ""}`}
          data-cell={`${day}-${slot}`}
          tabIndex={focused === slot ? 0 : -1}
          aria-selected={fill !== "none"}
          aria-label={`${cellWords({ day, slot }, { day, slot })}${fill === "part" ? ", in part" : ""}`}
        />
      ))}
    </div>
  );
}
