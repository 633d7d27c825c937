// Which page a wall shows next, and for how long. Pure.
import { isSame } from "../views/words.ts";

const DEFAULT_S = 30;
const SHORTEST_S = 5;
const LONGEST_S = 3600;

/** Seconds that each page is shown, as the address asks. */
export function secondsOf(text: string | null): number {
  const seconds = Math.round(Number(text));
  return text && Number.isFinite(seconds) && seconds > 0
    ? Math.min(LONGEST_S, Math.max(SHORTEST_S, seconds))
    : DEFAULT_S;
}

/** `path` as a wall shows it. */
export function onWall(path: string, seconds: number): string {
  const { pathname, searchParams } = new URL(`http://page${path}`);
  searchParams.set("wall", String(seconds));
  return `${pathname}?${searchParams}`;
}

/** `views` without those that show what one before them shows. */
export const apart = <V extends { path: string }>(views: readonly V[]): V[] =>
  views.filter((view, at) => views.findIndex(({ path }) => isSame(path, view.path)) === at);

/** The page after `here`: the first one where it is none of them; null where there is no other. No two of `paths` are the same. */
export function nextPage(paths: readonly string[], here: string): string | null {
  const at = paths.findIndex((path) => isSame(path, here));
  const next = paths[(at + 1) % paths.length];
  return next === undefined || isSame(next, here) ? null : next;
}

/** How far down to be after `elapsed_s` of `seconds`, on a page so much higher than the screen: whole screens at a time. */
export function offsetAt(elapsed_s: number, seconds: number, page_px: number, screen_px: number): number {
  if (screen_px <= 0 || page_px <= screen_px) return 0;
  const screens = Math.ceil(page_px / screen_px);
  const screen = Math.floor((elapsed_s / seconds) * screens) % screens;
  return Math.min(screen * screen_px, page_px - screen_px);
}
