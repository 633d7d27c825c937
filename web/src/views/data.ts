// The pages that somebody saved under a name, and the one that opens first. They are the person's, on every browser.
import { batch, computed, effect, untracked } from "@preact/signals";
import { get, request } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Preferences, SavedView, SavedViews } from "../api/types.gen.ts";
import { me } from "../login/me.ts";
import { contrast, theme, units, zonePreferred } from "../preferences.ts";
import { openStartPage, startPage } from "./start.ts";

export const views = loader<readonly SavedView[]>(async (abort) => (await get<SavedViews>("/views", abort)).views);

/** Whether somebody is logged in who can keep anything. */
export const hasAccount = (): boolean => {
  const who = me.value;
  return who !== null && who.by !== "anonymous" && who.by !== "nobody";
};

/** Saves `path` under `name`; over the view of that name, if there is one. */
export async function saveView(name: string, path: string): Promise<void> {
  const before = views.state.peek().value?.find((view) => view.name === name);
  if (before) await request("PUT", `/views/${before.id}`, { body: { name, path }, version: before.version });
  else await request("POST", "/views", { body: { name, path } });
  views.load();
}

export async function renameView({ id, path, version }: SavedView, name: string): Promise<void> {
  await request("PUT", `/views/${id}`, { body: { name, path }, version });
  views.load();
}

export async function deleteView({ id, version }: SavedView): Promise<void> {
  await request("DELETE", `/views/${id}`, { version });
  views.load();
}

/** Puts the views into the order of `ids`, at once on the page. */
export async function orderViews(ids: readonly number[]): Promise<void> {
  const before = views.state.peek().value ?? [];
  views.put(ids.flatMap((id) => before.find((view) => view.id === id) ?? []));
  try {
    await request("PUT", "/views", { body: { views: ids } });
  } finally {
    views.load();
  }
}

const stored = loader<Preferences>((abort) => get<Preferences>("/preferences", abort));

const ZONES: readonly string[] = ["local", "utc", "host"];

function take(told: Preferences): void {
  theme.value = told.theme;
  units.value = told.units;
  contrast.value = told.contrast;
  // A zone that has a name is for other programs than this one.
  if (ZONES.includes(told.zone)) zonePreferred.value = told.zone as typeof zonePreferred.value;
  const first = startPage.peek() === "/" && told.start !== "/";
  startPage.value = told.start;
  // This browser did not know yet.
  if (first) openStartPage();
}

/** What is preferred here now, over what is stored. */
function here(told: Preferences): Preferences {
  const zone = ZONES.includes(told.zone) || zonePreferred.value !== "local" ? zonePreferred.value : told.zone;
  return {
    ...told,
    theme: theme.value,
    units: units.value,
    contrast: contrast.value,
    zone,
    start: startPage.value,
  };
}

/** Lets preferences follow the person: those of the account count here, and what is changed here is the account's. */
export function startPreferencesOfAccount(): void {
  const owner = computed(() => (hasAccount() ? (me.value?.name ?? "") : ""));
  let taken: Preferences | null = null;
  effect(() => {
    if (owner.value !== "") untracked(stored.load);
  });
  effect(() => {
    const told = stored.state.value.value;
    if (told === null) return;
    const wanted = here(told);
    if (told !== taken) {
      taken = told;
      untracked(() => batch(() => take(told)));
    } else if (JSON.stringify(wanted) !== JSON.stringify(told)) {
      taken = wanted;
      untracked(() => stored.put(wanted));
      // Where it cannot be stored it counts here all the same, until the account's are asked for again.
      request("PUT", "/preferences", { body: wanted }).catch(() => {});
    }
  });
}
