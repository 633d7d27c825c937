// Which stretch of time the charts show: either the last so many minutes, sliding, or a fixed range. URL in, URL out.

export type Window = { kind: "live"; preset: string; span_ms: number } | { kind: "fixed"; from: number; to: number };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const PRESETS: Record<string, number> = {
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "1h": HOUR_MS,
  "6h": 6 * HOUR_MS,
  "24h": DAY_MS,
  "7d": 7 * DAY_MS,
  "30d": 30 * DAY_MS,
  "1y": 365 * DAY_MS,
};
export const DEFAULT_PRESET = "15m";
/** The shortest range that a drag may select: below it a chart has nothing more to show. */
export const SHORTEST_MS = 10_000;

/** The window a URL's query asks for; the default where it asks for nothing sensible. */
export function parseWindow(query: URLSearchParams): Window {
  const from = Number(query.get("from") ?? Number.NaN);
  const to = Number(query.get("to") ?? Number.NaN);
  if (Number.isFinite(from) && Number.isFinite(to) && from > 0 && to > from) return { kind: "fixed", from, to };
  const asked = query.get("range") ?? "";
  const preset = Object.hasOwn(PRESETS, asked) ? asked : DEFAULT_PRESET;
  return { kind: "live", preset, span_ms: PRESETS[preset] as number };
}

/** The query entries of a window; null removes an entry. */
export function windowQuery(window: Window): Record<string, string | null> {
  if (window.kind === "fixed")
    return { from: String(Math.round(window.from)), to: String(Math.round(window.to)), range: null };
  return { from: null, to: null, range: window.preset === DEFAULT_PRESET ? null : window.preset };
}

/** Start and end at the moment `now`, in Unix milliseconds. */
export function bounds(window: Window, now: number): { from: number; to: number } {
  return window.kind === "fixed" ? { from: window.from, to: window.to } : { from: now - window.span_ms, to: now };
}

/** The fixed window of a drag from one time to another, in either direction; null when it is a click. */
export function zoomed(a: number, b: number, oldest: number, newest: number): Window | null {
  const from = Math.max(Math.min(a, b), oldest);
  const to = Math.min(Math.max(a, b), newest);
  if (to - from <= 0) return null;
  if (to - from >= SHORTEST_MS) return { kind: "fixed", from, to };
  const middle = (from + to) / 2;
  return { kind: "fixed", from: middle - SHORTEST_MS / 2, to: middle + SHORTEST_MS / 2 };
}

/** How many points to ask for: one a pixel, in hundreds so that resizing seldom refetches. */
export function pointsFor(width_px: number): number {
  return Math.min(1500, Math.max(300, Math.ceil(width_px / 100) * 100));
}

/** The step the server will take for `span_ms` (the contract's rule), to know beforehand how often to ask again. */
export function stepFor(span_ms: number, points: number, period_ms: number): number {
  return Math.max(period_ms, Math.ceil(span_ms / points / period_ms) * period_ms);
}

/** Steps up to this are continued by live samples between two fetches; longer ones are fetched again. */
export const LIVE_STEP_MS = 60_000;
/** How long the live rings remember: two fetches, their delay and a step. */
export const LIVE_KEEP_MS = 420_000;

/** Milliseconds until the stored part of a live window has to be fetched again. */
export function refetchAfter(step_ms: number): number {
  return step_ms <= LIVE_STEP_MS ? 240_000 : Math.min(120_000, step_ms / 2);
}

/** A resolution in words: `raw, 1 s`, `raw, 6 s steps` or `minute, 3 min steps`. */
export function resolutionName(resolution: string, step_ms: number, period_ms: number): string {
  const seconds = step_ms / 1000;
  const step =
    seconds < 60 ? `${round(seconds)} s` : seconds < 3600 ? `${round(seconds / 60)} min` : `${round(seconds / 3600)} h`;
  return step_ms > period_ms ? `${resolution}, ${step} steps` : `${resolution}, ${step}`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** `window` moved by `share` of its length and stretched by `factor` around its middle; never past `now`. */
export function moved(window: Window, now: number, share: number, factor: number): Window {
  const { from, to } = bounds(window, now);
  const length = Math.max(SHORTEST_MS, (to - from) * factor);
  const middle = (from + to) / 2 + (to - from) * share;
  const end = Math.min(now, middle + length / 2);
  return { kind: "fixed", from: end - length, to: end };
}
