// What this browser prefers; kept in its local storage.
import { effect, type Signal, signal } from "@preact/signals";
import type { Base } from "./format.ts";
import { lasting } from "./storage.ts";

export type Theme = "system" | "light" | "dark";
/** Whose clocks times are told by. */
export type ZoneChoice = "local" | "utc" | "host";

function kept<T extends string>(name: string, allowed: readonly T[], otherwise: T): Signal<T> {
  const stored = lasting.read(name) as T | null;
  const value = signal(stored !== null && allowed.includes(stored) ? stored : otherwise);
  effect(() => lasting.write(name, value.value));
  return value;
}

export const theme = kept<Theme>("theme", ["system", "light", "dark"], "system");
/** `more`: stronger lines and colours, whatever the system says. */
export type Contrast = "system" | "more";
export const contrast = kept<Contrast>("contrast", ["system", "more"], "system");
export const units = kept<"binary" | "decimal">("units", ["binary", "decimal"], "binary");

/** What holds where the URL says nothing; the page's zone is in `time/choice.ts`. */
export const zonePreferred = kept<ZoneChoice>("zone", ["local", "utc", "host"], "local");

/** Of which alerts this browser tells by notifications. */
export const notifyLevel = kept<"off" | "critical" | "all">("notify", ["off", "critical", "all"], "off");

export const base = (): Base => (units.value === "binary" ? 1024 : 1000);

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const systemContrast = matchMedia("(prefers-contrast: more)");
/** Moves when the colours on the page have changed, so that canvases repaint. */
export const palette = signal(0);

export function startPreferences(): void {
  effect(() => {
    if (theme.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
    palette.value = palette.peek() + 1;
  });
  const systemMore = signal(systemContrast.matches);
  effect(() => {
    if (contrast.value === "more" || systemMore.value) document.documentElement.dataset.contrast = "more";
    else delete document.documentElement.dataset.contrast;
    palette.value = palette.peek() + 1;
  });
  systemDark.addEventListener("change", () => {
    palette.value += 1;
  });
  systemContrast.addEventListener("change", ({ matches }) => {
    systemMore.value = matches;
  });
}

export function nextTheme(): void {
  const order: Theme[] = ["system", "light", "dark"];
  theme.value = order[(order.indexOf(theme.value) + 1) % order.length] as Theme;
}
