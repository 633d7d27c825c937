// What happened to a host in the range of its charts, and why there is nothing in a gap.
import { type ReadonlySignal, type Signal, untracked, useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { get } from "../api/client.ts";
import { type Loader, loader } from "../api/loading.ts";
import type { Mark, Marks } from "../api/types.gen.ts";
import { bounds } from "../charts/window.ts";
import { now, settingChange, transition } from "../live/session.ts";
import { dueOf, type Seen } from "./due.ts";
import type { View } from "./view.ts";

/** More are not shown: there are more than pixels. */
const MOST = 500;

/** How often what happened is asked for while the charts follow the present. */
const EVERY_MS = 30_000;

/** `snapshots` moves when the stream was away and is back. */
export function useMarks(host: string, snapshots: Signal<number>, { window, edge }: View): Loader<Marks> {
  const marks = useMemo(
    () =>
      loader((signal) => {
        const { from, to } = bounds(window.peek(), edge.peek());
        const query = new URLSearchParams({
          from: String(Math.floor(from)),
          to: String(Math.ceil(to)),
          limit: String(MOST),
        });
        return get<Marks>(`/hosts/${encodeURIComponent(host)}/marks?${query}`, signal);
      }),
    [host, window, edge],
  );
  useEffect(() => marks.close, [marks]);
  const turn = useComputed(() => (window.value.kind === "live" ? Math.floor(now.value / EVERY_MS) : 0));
  const before = useRef<Seen | null>(null);
  useSignalEffect(() => {
    const seen: Seen = {
      window: window.value,
      turn: turn.value,
      snapshots: snapshots.value,
      setting: settingChange.value,
      transition: transition.value,
    };
    const due = dueOf(before.current, seen, host);
    before.current = seen;
    if (due) untracked(marks[due]);
  });
  return marks;
}

export const marksOf = ({ state }: Loader<Marks>): ReadonlySignal<readonly Mark[]> =>
  useComputed(() => state.value.value?.marks ?? NONE);

const NONE: readonly Mark[] = [];
