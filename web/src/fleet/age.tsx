// How often a host's samples come; for one that is not up, a badge that says since when they do not.
import { useComputed, useSignal } from "@preact/signals";
import { age, clock, duration } from "../format.ts";
import { known, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { type Freshness, freshness, interval_ms, staleWords } from "./freshness.ts";

export const freshnessOf = (entry: Entry): Freshness => freshness(entry.host.value.state, known.value);

/** Whether a host's values may not be how it is now: it is not up by the server's word, or nothing is heard of it. */
export const isStale = (entry: Entry): boolean => freshnessOf(entry) !== "up";

export function Age({ entry }: { entry: Entry }) {
  const how = freshnessOf(entry);
  return how === "up" ? <Interval entry={entry} /> : <Stale entry={entry} how={how} />;
}

/** Does not tick: the exact age is told to whoever points at it. */
function Interval({ entry }: { entry: Entry }) {
  const words = useComputed(() => {
    entry.tick.value;
    return duration(interval_ms(entry.stride_ms, entry.host.value.facts) / 1000);
  });
  const title = useSignal("");
  return (
    <span
      class="interval"
      title={title.value}
      onPointerEnter={() => {
        title.value = `Samples come every ${words.peek()}. ${newest(entry)}`;
      }}
    >
      <span class="hidden">Samples every </span>
      {words}
    </span>
  );
}

function Stale({ entry, how }: { entry: Entry; how: Exclude<Freshness, "up"> }) {
  const words = useComputed(() => {
    entry.tick.value;
    return staleWords(how, entry.lastSample === null ? null : now.value - entry.lastSample);
  });
  return (
    <span class={`badge stale tone-${how}`} title={newest(entry)}>
      {words}
    </span>
  );
}

function newest({ lastSample }: Entry): string {
  if (lastSample === null) return "No sample has come yet.";
  return `The newest is of ${clock(lastSample)}, ${age(now.peek() - lastSample)} ago.`;
}
