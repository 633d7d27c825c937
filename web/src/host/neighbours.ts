// The hosts before and after one, for [ and ]. Pure.

export interface Neighbours {
  previous: string | null;
  next: string | null;
}

/** Round the end: after the last comes the first. `ids` are in order. */
export function neighboursOf(ids: readonly string[], id: string): Neighbours {
  const at = ids.indexOf(id);
  if (at < 0 || ids.length < 2) return { previous: null, next: null };
  return { previous: ids.at(at - 1) ?? null, next: ids[(at + 1) % ids.length] ?? null };
}
