// A threshold on a chart, to be moved up and down: with the mouse, a finger or keys.
import { useRef } from "preact/hooks";
import type { Place } from "../charts/place.ts";
import { limit } from "../format.ts";
import { base } from "../preferences.ts";
import { type Level, snapped } from "./lines.ts";

interface HandleProps {
  level: Level;
  comparison: "above" | "below";
  value: number;
  unit: string;
  /** To what multiples it snaps. */
  step: number;
  place: Place;
  onMove: (value: number) => void;
  /** A drag begins, or ends. */
  onDrag: (goes: boolean) => void;
}

/** By how many steps a key moves it; ends of the axis are far enough. */
const KEYS: Record<string, number> = {
  ArrowUp: 1,
  ArrowRight: 1,
  ArrowDown: -1,
  ArrowLeft: -1,
  PageUp: 10,
  PageDown: -10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

export function Handle({ level, comparison, value, unit, step, place, onMove, onDrag }: HandleProps) {
  const { left, top, width, height, low, high } = place;
  /** Where in the handle it was taken, pixels below the line. */
  const taken = useRef<number | null>(null);
  const y = top + height * (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low));
  const words = limit(value, unit, base());

  const lineAt = (event: PointerEvent) => {
    const area = (event.currentTarget as HTMLElement).offsetParent as HTMLElement;
    return event.clientY - area.getBoundingClientRect().top;
  };
  function onPointerDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    taken.current = lineAt(event) - y;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    onDrag(true);
  }
  function onPointerMove(event: PointerEvent): void {
    if (taken.current === null) return;
    const share = 1 - (lineAt(event) - taken.current - top) / height;
    const next = snapped(low + share * (high - low), step, low, high);
    if (next !== value) onMove(next);
  }
  function end(): void {
    if (taken.current === null) return;
    taken.current = null;
    onDrag(false);
  }
  function onKeyDown(event: KeyboardEvent): void {
    const steps = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : undefined;
    if (steps === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    onMove(Number.isFinite(steps) ? snapped(value + steps * step, step, low, high) : steps > 0 ? high : low);
  }
  return (
    <div
      class={`threshold tone-${level}`}
      role="slider"
      tabIndex={0}
      aria-label={`${level === "warning" ? "Warning" : "Critical"} ${comparison} which it fires`}
      aria-orientation="vertical"
      aria-valuemin={low}
      aria-valuemax={high}
      aria-valuenow={value}
      aria-valuetext={words}
      style={{ left: `${left}px`, top: `${y}px`, width: `${width}px` }}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={end}
      onPointerCancel={end}
      onKeyDown={onKeyDown}
    >
      <span class="grip">
        {level} {words}
      </span>
    </div>
  );
}
