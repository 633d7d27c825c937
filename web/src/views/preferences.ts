// What an account and its browsers prefer, and what becomes of both when they differ. Pure.
import type { StoredPreferences } from "../api/types.gen.ts";

export type Preferences = Omit<StoredPreferences, "version">;

/** What this browser knows of the account's preferences: whose they are, and what was stored when it asked last. */
export interface Told {
  name: string;
  stored: StoredPreferences;
}

/** What the browser kept of them; null for nothing that makes sense. */
export function parseTold(text: string | null): Told | null {
  try {
    const { name, stored } = JSON.parse(text ?? "") as Partial<Told>;
    return typeof name === "string" && typeof stored?.version === "number" ? { name, stored } : null;
  } catch {
    return null;
  }
}

const names = (preferences: Preferences) => Object.keys(preferences) as (keyof Preferences)[];

export const isEqual = (one: Preferences, other: Preferences): boolean =>
  names(one).every((name) => one[name] === other[name]);

/** `theirs` with what changed from `base` to `mine` laid over it. */
export function merged(base: Preferences, mine: Preferences, theirs: Preferences): Preferences {
  const changed = names(mine).filter((name) => mine[name] !== base[name]);
  return { ...bare(theirs), ...Object.fromEntries(changed.map((name) => [name, mine[name]])) };
}

/** Without the version that they have when they are stored. */
export function bare({ start, zone, units, theme, contrast, density }: Preferences): Preferences {
  return { start, zone, units, theme, contrast, density };
}

/**
 * Compared with what a browser's preferences are changes of the account's: with what it was `told` last. What it preferred
 * `before` it knew the account is no change, unless the account has stored nothing: then it takes them.
 */
export function baseOf(told: Told | null, name: string, before: Preferences, stored: StoredPreferences): Preferences {
  if (told?.name === name) return told.stored;
  return told === null && stored.version === 0 ? stored : before;
}

const ZONES: readonly string[] = ["local", "utc", "host"];

/** The zone that this dashboard shows for one that is stored: one with a name is for other programs, which may have set it. */
export const zoneShown = <T extends string>(stored: string): T => (ZONES.includes(stored) ? stored : "local") as T;

/** The zone to store for the one that is `shown`: the one with a name stays until another one is chosen. */
export const zoneStored = (shown: string, stored: string | undefined): string =>
  stored !== undefined && zoneShown(stored) === shown ? stored : shown;
