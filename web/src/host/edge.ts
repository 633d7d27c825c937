// Where a live chart ends. It must neither flip between two notions of the present nor end before an outage. Pure.
import type { HostState } from "../api/types.gen.ts";

export interface Present {
  /** The server's word. */
  state: HostState;
  /** Whether that word is fresh. */
  known: boolean;
  /** Whether samples arrive by the stream. */
  live: boolean;
  lastSample: number | null;
  now: number;
}

/**
 * The right edge of live charts: the last sample of a host that is up, however seldom it sends; the present for one that
 * is late or gone, so that the outage is seen; where it was (`before`, null for a page just opened) while nobody knows.
 * It never moves back. Of an archived host nothing more is expected: its charts end with its last sample.
 */
export function edgeOf({ state, known, live, lastSample, now }: Present, before: number | null): number {
  // One that is late may only have been polled before its latest sample; one that is offline is.
  const absent = known && (state === "offline" || (state === "late" && live));
  const next = lastSample === null || absent ? now : lastSample;
  if (before === null) return next;
  return known ? Math.max(before, next) : before;
}
