// What happened to the hosts that are compared, for their charts.
import { computed, effect, type ReadonlySignal, untracked, useComputed } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../api/client.ts";
import { type Loader, loader } from "../api/loading.ts";
import type { Mark, Marks } from "../api/types.gen.ts";
import type { ChartView } from "../charts/source.ts";
import { bounds } from "../charts/window.ts";
import { now } from "../live/session.ts";
import type { Names } from "./lines.ts";

/** More are not shown: there are more than pixels. */
const MOST = 500;
/** How often what happened is asked for while the charts follow the present. */
const EVERY_MS = 30_000;
const NONE: readonly Mark[] = [];

/** `hosts` as one text; none where it is empty: those that lead are others from time to time. */
export function useMarks(hosts: string, { window, edge }: ChartView): Loader<readonly Mark[]> {
  const marks = useMemo(
    () =>
      loader<readonly Mark[]>(async (signal) => {
        const { from, to } = bounds(window.peek(), edge.peek());
        const ends = { from: String(Math.floor(from)), to: String(Math.ceil(to)) };
        const query = new URLSearchParams({ hosts, limit: String(MOST), ...ends });
        return (await get<Marks>(`/marks?${query}`, signal)).marks;
      }),
    [hosts, window, edge],
  );
  const turn = useComputed(() => (window.value.kind === "live" ? Math.floor(now.value / EVERY_MS) : 0));
  useEffect(() => {
    if (hosts === "") return undefined;
    const stop = effect(() => {
      turn.value;
      window.value;
      untracked(marks.load);
    });
    return () => {
      stop();
      marks.close();
    };
  }, [hosts, marks, turn, window]);
  return marks;
}

/** In a chart of several hosts a mark says whose it is. */
export const marksOf = ({ state }: Loader<readonly Mark[]>, names: Names): ReadonlySignal<readonly Mark[]> =>
  computed(() => (state.value.value ?? NONE).map((mark) => named(mark, names)));

const named = (mark: Mark, names: Names): Mark => ({
  ...mark,
  title: `${names.get(mark.host) ?? mark.host}: ${mark.title}`,
});
