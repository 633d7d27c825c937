// Lets preferences follow the person: those of the account count here, and what is changed here is stored with the account.
//
// What is stored is read first, and only what was changed here is laid over it: other tabs and browsers change it as well.
import { batch, computed, effect, signal, untracked } from "@preact/signals";
import { Failure, get, request } from "../api/client.ts";
import { AGAIN_MS } from "../api/loading.ts";
import type { StoredPreferences } from "../api/types.gen.ts";
import { hasAccount, me } from "../login/me.ts";
import { contrast, density, KEPT_ACCOUNT, startPage, theme, units, unstored, zonePreferred } from "../preferences.ts";
import { lasting } from "../storage.ts";
import {
  baseOf,
  isEqual,
  merged,
  type Preferences,
  parseTold,
  type Told,
  zoneShown,
  zoneStored,
} from "./preferences.ts";
import { arrived, openStartPage } from "./start.ts";

/** Who presses a key three times stores once. */
const QUIET_MS = 2000;
/** What the tab in front changed is its own to store, unless it was closed before. */
const HIDDEN_MS = 30_000;
const VERSION_CONFLICT = 412;

const told = signal<Told | null>(parseTold(lasting.read(KEPT_ACCOUNT)));
const owner = computed(() => (hasAccount() ? (me.value?.name ?? "") : ""));

const mine = computed<Preferences>(() => ({
  start: startPage.value,
  zone: zoneStored(zonePreferred.value, told.value?.stored.zone),
  units: units.value,
  theme: theme.value,
  contrast: contrast.value,
  density: density.value,
}));

/** What this page preferred before it knew the account. */
let before = mine.peek();

/** Why the account could not be asked the last time. */
const failed = signal("");
/** Makes `wanted` count in this browser, which knows now that `stored` is the account's. */
function take(name: string, stored: StoredPreferences, wanted: Preferences): void {
  batch(() => {
    told.value = { name, stored };
    theme.value = wanted.theme;
    units.value = wanted.units;
    contrast.value = wanted.contrast;
    density.value = wanted.density;
    zonePreferred.value = zoneShown(wanted.zone);
    startPage.value = wanted.start;
  });
  lasting.write(KEPT_ACCOUNT, JSON.stringify(told.peek()));
}

/** Reads what is stored, and stores what was changed here. */
async function agree(name: string): Promise<void> {
  for (;;) {
    const stored = await get<StoredPreferences>("/preferences");
    if (owner.peek() !== name) return;
    const wanted = merged(baseOf(told.peek(), name, before, stored), mine.peek(), stored);
    take(name, stored, wanted);
    if (isEqual(wanted, stored)) return;
    try {
      const options = { body: wanted, version: stored.version };
      const after = await request<StoredPreferences>("PUT", "/preferences", options);
      if (owner.peek() !== name) return;
      // What was changed meanwhile is laid over it the next time.
      take(name, after, merged(wanted, mine.peek(), after));
    } catch (reason) {
      if (!(reason instanceof Failure) || reason.status !== VERSION_CONFLICT) throw reason;
    }
  }
}

let running = false;
let timer: ReturnType<typeof setTimeout> | undefined;

async function store(name: string): Promise<void> {
  clearTimeout(timer);
  if (running || name === "") return;
  running = true;
  try {
    await agree(name);
    failed.value = "";
    openStartPage();
  } catch (reason) {
    if (!(reason instanceof Failure)) throw reason;
    failed.value = reason.message;
    // What the gateway refuses it refuses again.
    if (reason.status === 0 || reason.status >= 500) timer = setTimeout(() => void store(name), AGAIN_MS);
  } finally {
    running = false;
    // What is told later moves nobody away from what they read.
    arrived();
  }
}

export function startPreferencesOfAccount(): void {
  addEventListener("storage", ({ key, newValue }) => {
    if (key === KEPT_ACCOUNT) told.value = parseTold(newValue);
  });
  effect(() => {
    const known = told.value?.name === owner.value ? told.value.stored : before;
    unstored.value = isEqual(mine.value, known) ? "" : failed.value;
  });
  // Whoever chooses and goes has chosen. What others have changed meanwhile is found when this browser opens the page again.
  addEventListener("pagehide", () => {
    const known = told.peek();
    if (known === null || known.name !== owner.peek() || isEqual(mine.peek(), known.stored)) return;
    const { version } = known.stored;
    request("PUT", "/preferences", { body: mine.peek(), version, keepalive: true }).catch(() => {});
  });
  effect(() => {
    const name = owner.value;
    untracked(() => {
      before = mine.peek();
      void store(name);
    });
  });
  effect(() => {
    const known = told.value;
    if (known === null || known.name !== owner.value || isEqual(mine.value, known.stored)) return undefined;
    const waiting = setTimeout(() => void store(known.name), document.hidden ? HIDDEN_MS : QUIET_MS);
    return () => clearTimeout(waiting);
  });
}
