// What this browser prefers; kept in its local storage, and the same in all of its tabs.
import { effect, type Signal, signal } from "@preact/signals";
import type { Base } from "./format.ts";
import { KEPT_NAME } from "./login/gate.ts";
import { lasting, passing } from "./storage.ts";

export type Theme = "system" | "light" | "dark";
/** Whose clocks times are told by. */
export type ZoneChoice = "local" | "utc" | "host";

function kept<T extends string>(name: string, isAllowed: (text: string) => text is T, otherwise: T): Signal<T> {
  const read = (text: string | null): T => (text !== null && isAllowed(text) ? text : otherwise);
  const value = signal(read(lasting.read(name)));
  effect(() => lasting.write(name, value.value));
  addEventListener("storage", ({ key, newValue }) => {
    if (key === name) value.value = read(newValue);
  });
  return value;
}

const one =
  <T extends string>(...allowed: readonly T[]) =>
  (text: string): text is T =>
    (allowed as readonly string[]).includes(text);

export const theme = kept<Theme>("theme", one("system", "light", "dark"), "system");
/** `more`: stronger lines and colours, whatever the system says. */
export type Contrast = "system" | "more";
export const contrast = kept<Contrast>("contrast", one("system", "more"), "system");
export const units = kept("units", one("binary", "decimal"), "binary");
/** How high the rows of the fleet's table are where its address does not say. */
export const density = kept("density", one("comfortable", "compact"), "comfortable");

/** What holds where the URL says nothing; the page's zone is in `time/choice.ts`. */
export const zonePreferred = kept<ZoneChoice>("zone", one("local", "utc", "host"), "local");

/** Of which alerts this browser tells by notifications. */
export const notifyLevel = kept("notify", one("off", "critical", "all"), "off");

/** The page that opens first: its path with its query. */
export const startPage = kept("start", (text): text is string => text.startsWith("/"), "/");

/** Why what is preferred here is not stored with the account yet; empty where it is, or nobody has tried. */
export const unstored = signal("");

/** Under which name the browser keeps what the account prefers, as far as it was told. */
export const KEPT_ACCOUNT = "account";

/** What says where somebody was and what they looked at goes with them; how things look may stay. */
export function forgetPerson(): void {
  for (const name of [KEPT_NAME, KEPT_ACCOUNT, "start"]) lasting.forget(name);
  passing.forget("fleet");
}

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
