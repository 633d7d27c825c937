// Which tab tells people of what: each thing is told once, by the tab that asks first. Pure but for what it remembers.

/** So many are remembered that nobody names any more: what is away for long may be news again. */
const MOST = 10_000;

export interface Claims {
  /**
   * Those of `keys`, which are all that there are, that are the asker's to tell. What was so when the first one asked is no
   * news to anybody.
   */
  take: (keys: readonly string[]) => string[];
}

export function createClaims(most = MOST): Claims {
  let told: Set<string> | null = null;
  return {
    take(keys) {
      if (told === null) {
        told = new Set(keys);
        return [];
      }
      const fresh = keys.filter((key) => !told?.has(key));
      for (const key of fresh) told.add(key);
      if (told.size > most) forget(told, new Set(keys), most);
      return fresh;
    },
  };
}

/** Forgets the oldest of `told`, but none that is `named`, which would be told anew each time. */
function forget(told: Set<string>, named: ReadonlySet<string>, most: number): void {
  for (const key of told) {
    if (told.size <= most) break;
    if (!named.has(key)) told.delete(key);
  }
}
