// What happened to a host in the range of its charts, and why there is nothing in a gap.
import { type ReadonlySignal, useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../api/client.ts";
import { type Loader, loader } from "../api/loading.ts";
import type { Mark, Marks } from "../api/types.gen.ts";
import { bounds } from "../charts/window.ts";
import { now, settingChange, transition } from "../live/session.ts";
import type { View } from "./view.ts";

/** More are not shown: there are more than pixels. */
const MOST = 500;

/** How often what happened is asked for while the charts follow the present. */
const EVERY_MS = 30_000;

export function useMarks(host: string, { window, edge }: View): Loader<Marks> {
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
  useSignalEffect(() => {
    window.value;
    marks.load();
  });
  useSignalEffect(() => {
    turn.value;
    settingChange.value;
    if (transition.value === null || transition.value.host === host) marks.refresh();
  });
  return marks;
}

export const marksOf = ({ state }: Loader<Marks>): ReadonlySignal<readonly Mark[]> =>
  useComputed(() => state.value.value?.marks ?? NONE);

const NONE: readonly Mark[] = [];
