// A quiet line for each host that was removed and whose rows are still being deleted.
import { useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Removals } from "../api/types.gen.ts";
import { fleet } from "../live/session.ts";
import { removalWords } from "./removals.ts";

/** How often it is asked for while any is under way; otherwise with news of which hosts there are. */
const EVERY_MS = 2000;

export function Removing() {
  const removals = useMemo(
    () => loader(async (signal) => (await get<Removals>("/removals?limit=1000", signal)).removals),
    [],
  );
  useSignalEffect(() => {
    fleet.snapshots.value;
    fleet.ids.value;
    removals.refresh();
  });
  useEffect(() => {
    const timer = setInterval(() => {
      const { value, error } = removals.state.peek();
      if (value?.length && error === null) removals.refresh();
    }, EVERY_MS);
    return () => {
      clearInterval(timer);
      removals.close();
    };
  }, [removals]);
  const { value, error } = removals.state.value;
  if (!value?.length) return null;
  return (
    <div class="removals muted">
      {value.map((removal) => (
        <p key={`${removal.name} ${removal.asked}`}>{removalWords(removal)}</p>
      ))}
      {error !== null && <p>How far this is now is not known: {error}</p>}
    </div>
  );
}
