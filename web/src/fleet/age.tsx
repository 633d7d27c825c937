// How old a host's newest sample is, ticking.
import { age } from "../format.ts";
import { now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";

/** Older than this, a host's values are no longer called live. */
export const STALE_MS = 5000;

export const isStale = (entry: Entry, at: number): boolean => {
  entry.tick.value;
  return at - (entry.lastSample ?? 0) > STALE_MS;
};

export function Age({ entry }: { entry: Entry }) {
  entry.tick.value;
  if (entry.lastSample === null) return <span class="age">no sample yet</span>;
  const old_ms = now.value - entry.lastSample;
  if (old_ms <= STALE_MS)
    return (
      <span class="age live" title="Age of the last sample">
        {age(old_ms)}
      </span>
    );
  return (
    <span class="age" title="Age of the last sample">
      {age(old_ms)} ago
    </span>
  );
}
