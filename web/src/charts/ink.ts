// The page's colours as a canvas understands them. Looked up once, until they change.
import type { Paint } from "./model.ts";

export const COLORS = 12;

export interface Inks {
  /** The colour of a custom property. */
  ink: (name: string, alpha?: number) => string;
  /** The colour of a line. */
  line: (paint: Paint, alpha?: number) => string;
  /** The page's colours have changed. */
  clear: () => void;
}

/** Colours as they are in `box`. */
export function inksOf(box: HTMLElement): Inks {
  const colors = new Map<string, string>();
  function ink(name: string, alpha = 1): string {
    const key = `${name}/${alpha}`;
    let found = colors.get(key);
    if (!found) {
      const probe = document.createElement("i");
      probe.style.color = alpha < 1 ? `color-mix(in srgb, var(${name}) ${alpha * 100}%, transparent)` : `var(${name})`;
      box.append(probe);
      found = getComputedStyle(probe).color;
      probe.remove();
      colors.set(key, found);
    }
    return found;
  }
  return {
    ink,
    line: ({ color, pale }, alpha = 1) =>
      ink(color < 0 ? "--text" : `--c${(color % COLORS) + 1}`, pale ? alpha * 0.6 : alpha),
    clear: () => colors.clear(),
  };
}
