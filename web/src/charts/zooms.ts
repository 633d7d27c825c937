// The way back out of zooms. It lives in the memory of the entry of the browser's history, so that it survives a reload.
import { parseWindow, type Window, windowQuery } from "./window.ts";

/** Zooms deeper than this are not remembered. */
const MOST = 50;

/** Queries of the windows that were zoomed into, the outermost first; none where `memory` holds something else. */
function queries(memory: unknown): string[] {
  const zooms = (memory as { zooms?: unknown } | null)?.zooms;
  return Array.isArray(zooms) ? zooms.filter((one): one is string => typeof one === "string") : [];
}

const remember = (memory: unknown, zooms: string[]): unknown =>
  memory !== null && typeof memory === "object" ? { ...memory, zooms } : { zooms };

/** `memory` once `window` was zoomed into. */
export function deeper(memory: unknown, window: Window): unknown {
  const entries = Object.entries(windowQuery(window)).filter((entry): entry is [string, string] => entry[1] !== null);
  return remember(memory, [...queries(memory), new URLSearchParams(entries).toString()].slice(-MOST));
}

/** The window before the last zoom, and `memory` without it; null when nothing was zoomed into. */
export function shallower(memory: unknown): { window: Window; memory: unknown } | null {
  const zooms = queries(memory);
  const last = zooms.pop();
  return last === undefined
    ? null
    : { window: parseWindow(new URLSearchParams(last)), memory: remember(memory, zooms) };
}
