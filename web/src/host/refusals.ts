// What the server did not store of a host, in words. Pure.
import { familyWord } from "../api/catalogue.ts";
import type { Refusal } from "../api/types.gen.ts";
import { fixed, recent } from "../format.ts";

/** Refusals older than this are no news. */
const NEWS_MS = 7 * 86_400_000;

/** `1,204 rows refused: too old (CPU), last 12:03:10`; one line a reason, the newest first. */
export function refused(refusals: readonly Refusal[], now: number): string[] {
  const reasons = new Map<string, Refusal[]>();
  for (const one of [...refusals].sort((a, b) => b.last - a.last))
    if (now - one.last < NEWS_MS) reasons.set(one.reason, [...(reasons.get(one.reason) ?? []), one]);
  return [...reasons].map(([reason, parts]) => {
    const rows = parts.reduce((sum, one) => sum + one.rows, 0);
    const families = [...new Set(parts.map((one) => familyWord(one.family)))].join(", ");
    const last = (parts[0] as Refusal).last;
    return `${fixed(rows, 0)} ${rows === 1 ? "row" : "rows"} refused: ${reason} (${families}), last ${recent(last, now)}`;
  });
}
