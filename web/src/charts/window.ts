// Which stretch of time the charts show: either the last so many minutes, sliding, or a fixed range. URL in, URL out.

import { lengthOf, lengthText } from "../time/length.ts";

export interface LiveWindow {
  kind: "live";
  /** What the URL calls it: a preset, or another length such as `90m`. */
  preset: string;
  span_ms: number;
}

export interface FixedWindow {
  kind: "fixed";
  from: number;
  to: number;
  /** The live window to go back to. */
  preset: string;
  /** True when it is what a live window showed when it was stopped. */
  paused: boolean;
}

export type Window = LiveWindow | FixedWindow;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const PRESETS: Record<string, number> = {
  "1m": MINUTE_MS,
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "1h": HOUR_MS,
  "6h": 6 * HOUR_MS,
  "12h": 12 * HOUR_MS,
  "24h": DAY_MS,
  "7d": 7 * DAY_MS,
  "30d": 30 * DAY_MS,
  "1y": 365 * DAY_MS,
};
export const DEFAULT_PRESET = "15m";
/** The shortest range that a drag may select: below it a chart has nothing more to show. */
export const SHORTEST_MS = 10_000;
/** The longest range, and how far into the past keys go: nothing is kept for longer. */
export const LONGEST_MS = 10 * 365 * DAY_MS;
/** Times beyond this are none that a calendar knows. */
const LAST_MS = 8.64e15;

/** The live window of a preset, or of a length such as `90m`; the default one where `asked` is neither. */
export function liveWindow(asked: string): LiveWindow {
  if (Object.hasOwn(PRESETS, asked)) return { kind: "live", preset: asked, span_ms: PRESETS[asked] as number };
  const span_ms = lengthOf(asked);
  return span_ms !== null && span_ms >= SHORTEST_MS && span_ms <= LONGEST_MS
    ? lastOf(span_ms)
    : liveWindow(DEFAULT_PRESET);
}

/** The live window of a length. */
export function lastOf(length_ms: number): LiveWindow {
  const span_ms = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, length_ms));
  const preset = Object.keys(PRESETS).find((name) => PRESETS[name] === span_ms) ?? lengthText(span_ms);
  return { kind: "live", preset, span_ms };
}

/** The window a URL's query asks for; the default where it asks for nothing sensible. */
export function parseWindow(query: URLSearchParams): Window {
  const window = liveWindow(query.get("range") ?? "");
  const from = Math.floor(Number(query.get("from") ?? Number.NaN));
  const to = Math.ceil(Number(query.get("to") ?? Number.NaN));
  if (!(from > 0 && to > from && to <= LAST_MS)) return window;
  return {
    kind: "fixed",
    from: Math.max(from, to - LONGEST_MS),
    to,
    preset: window.preset,
    paused: query.get("paused") === "1",
  };
}

/** The query entries of a window; null removes an entry. */
export function windowQuery(window: Window): Record<string, string | null> {
  const range = window.preset === DEFAULT_PRESET ? null : window.preset;
  if (window.kind === "live") return { range, from: null, to: null, paused: null };
  return {
    range,
    from: String(Math.floor(window.from)),
    to: String(Math.ceil(window.to)),
    paused: window.paused ? "1" : null,
  };
}

/** Start and end at the moment `now`, in Unix milliseconds. */
export function bounds(window: Window, now: number): { from: number; to: number } {
  return window.kind === "fixed" ? { from: window.from, to: window.to } : { from: now - window.span_ms, to: now };
}

/** What `window` shows at the moment `now`, held still. */
export const held = (window: Window, now: number): FixedWindow => ({
  kind: "fixed",
  ...bounds(window, now),
  preset: window.preset,
  paused: true,
});

/** The part of `window` that a drag from one time to another selects, in either direction; null when it is a click. */
export function zoomed(window: Window, now: number, a: number, b: number): FixedWindow | null {
  const shown = bounds(window, now);
  const from = Math.max(Math.min(a, b), shown.from);
  const to = Math.min(Math.max(a, b), shown.to);
  if (!(to - from > 0)) return null;
  const middle = (from + to) / 2;
  const half = Math.max(to - from, SHORTEST_MS) / 2;
  return { kind: "fixed", from: middle - half, to: middle + half, preset: window.preset, paused: false };
}

/** `window` moved by `share` of its length and stretched by `factor` around its middle; never past `now`, nor before all history. */
export function moved(window: Window, now: number, share: number, factor: number): FixedWindow {
  const { from, to } = bounds(window, now);
  const length = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (to - from) * factor));
  const middle = (from + to) / 2 + (to - from) * share;
  const begin = Math.max(now - LONGEST_MS, Math.min(now, middle + length / 2) - length);
  return { kind: "fixed", from: begin, to: begin + length, preset: window.preset, paused: false };
}

/** How many points to ask for: one a pixel, in hundreds so that resizing seldom refetches. */
export function pointsFor(width_px: number): number {
  return Math.min(1500, Math.max(300, Math.ceil(width_px / 100) * 100));
}

/** Steps up to this are continued by live samples between two fetches; longer ones are fetched again. */
export const LIVE_STEP_MS = 60_000;
/** How long the live rings remember: two fetches, their delay and a step. */
export const LIVE_KEEP_MS = 420_000;
/** Steps up to this move on visibly while values are polled, so their windows are fetched every so often then. */
const POLLED_STEP_MS = 10_000;
/** Agents send batches of some seconds: the end of a window that was just paused is stored only a little later. */
export const STORED_AFTER_MS = 20_000;

/** Milliseconds until the stored part of `window` has to be fetched again; null when it does not change any more. */
export function refetchAfter(window: Window, step_ms: number, now: number, polled: boolean): number | null {
  if (window.kind === "fixed") return window.to > now - STORED_AFTER_MS ? STORED_AFTER_MS : null;
  if (polled && step_ms <= POLLED_STEP_MS) return POLLED_STEP_MS;
  return step_ms <= LIVE_STEP_MS ? 240_000 : Math.min(120_000, step_ms / 2);
}
