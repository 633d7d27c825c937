// How far the rows of removed hosts are deleted, in words. Pure.
import type { Removal } from "../api/types.gen.ts";
import { fixed } from "../format.ts";

/** `Deleting the history of web-3: 4 of 12 parts, 1,204 rows so far`. */
export function removalWords({ name, parts, done, rows }: Removal): string {
  const what = `Deleting the history of ${name}`;
  if (parts === 0) return `${what}: about to begin`;
  return `${what}: ${done} of ${parts} ${parts === 1 ? "part" : "parts"}, ${fixed(rows, 0)} rows so far`;
}
