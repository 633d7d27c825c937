// The range that a chart in a dialog shows: the whole of what it is about, or a part of that. Pure.
import { DEFAULT_PRESET, type FixedWindow, type Window } from "../charts/window.ts";

export interface Zoom {
  shown: Window;
  /** What was shown before, the latest last; the first is the whole. */
  before: readonly Window[];
}

export const windowFrom = (from: number, to: number): FixedWindow => ({
  kind: "fixed",
  from,
  to,
  preset: DEFAULT_PRESET,
  paused: false,
});

/** After the whole has become another one: what is looked at of it stays, unless it is about something else now. */
export function withWhole(zoom: Zoom, whole: Window, same: boolean): Zoom {
  if (!same || zoom.before.length === 0) return { shown: whole, before: [] };
  return { shown: zoom.shown, before: [whole, ...zoom.before.slice(1)] };
}
