// What the charts of a host's page show: a range of the URL, which ends where the host's samples do.
import { type ReadonlySignal, useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Stretch } from "../charts/stretches.ts";
import { known, live, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { useStreamed } from "../live/streamed.ts";
import { type TimeView, useTimeView } from "../time/view.ts";
import { edgeOf } from "./edge.ts";

export interface View extends TimeView {
  /** The stretch of which the live stream told, up to now while it is there; null before it first was. */
  streamed: ReadonlySignal<Stretch | null>;
}

/** `snapshots` moves when the stream was away and is back. */
export function useView(entry: Entry, snapshots: ReadonlySignal<number>): View {
  const view = useTimeView(useEdge(entry));
  const streamed = useStreamed(snapshots);
  return useMemo(() => ({ ...view, streamed }), [view, streamed]);
}

function useEdge(entry: Entry): ReadonlySignal<number> {
  const before = useMemo(() => ({ edge: null as number | null }), [entry]);
  return useComputed(() => {
    entry.tick.value;
    const { state } = entry.host.value;
    // A host that is up moves its charts with its samples, not with the clock.
    const still = state === "up" && entry.lastSample !== null;
    before.edge = edgeOf(
      {
        state,
        known: known.value,
        live: live.value,
        lastSample: entry.lastSample,
        now: still ? 0 : now.value,
      },
      before.edge,
    );
    return before.edge;
  });
}
