// How a host that does not notify says so. Pure.
import type { Muted } from "../api/types.gen.ts";
import { moment } from "../format.ts";

/** What a muted host says of that; empty for one that is not, or not any more. */
export function mutedWords(until: Muted, now: number): string {
  if (until === null || (typeof until === "number" && until <= now)) return "";
  return until === "forever" ? "muted" : `muted until ${moment(until)}`;
}
