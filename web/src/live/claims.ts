// Which tab tells people of what: each thing is told once, by the tab that asks first. Pure but for what it remembers.

/** So many are remembered: more are never news at a time. */
const MOST = 2000;

export interface Claims {
  /** Those of `keys` that are the asker's to tell. What was so when the first one asked is no news to anybody. */
  take: (keys: readonly string[]) => string[];
}

export function createClaims(): Claims {
  let told: Set<string> | null = null;
  return {
    take(keys) {
      if (told === null) {
        told = new Set(keys);
        return [];
      }
      const fresh = keys.filter((key) => !told?.has(key));
      for (const key of fresh) told.add(key);
      // The oldest first.
      for (const key of told) {
        if (told.size <= MOST) break;
        told.delete(key);
      }
      return fresh;
    },
  };
}
