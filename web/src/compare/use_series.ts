// Keeps what is stored in step with what the page shows: as many points as its charts have pixels, asked for anew when
// something was missed.
import { effect, type ReadonlySignal, untracked } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { get } from "../api/client.ts";
import type { FleetSeriesAnswer } from "../api/types.gen.ts";
import { usePoints } from "../charts/points.ts";
import type { ChartView } from "../charts/source.ts";
import { now, polled } from "../live/session.ts";
import type { Asked } from "./asked.ts";
import { openSeries, type Series } from "./data.ts";
import type { Followed } from "./live.ts";

interface Used {
  series: Series;
  /** The element with the charts. */
  box: RefObject<HTMLDivElement | null>;
  /** How many points answers have; 0 until it is measured. */
  points: ReadonlySignal<number>;
}

/** `shown`: null while it is not known what there is to show. */
export function useSeries(
  shown: ReadonlySignal<Asked | null>,
  { latest, missed }: Followed,
  { window }: ChartView,
): Used {
  const edge = useRef(latest);
  edge.current = latest;
  const series = useMemo(
    () =>
      openSeries(
        now,
        () => edge.current(),
        (query, signal) => get<FleetSeriesAnswer>(`/series?${query}`, signal),
      ),
    [],
  );
  useEffect(() => series.close, [series]);
  const box = useRef<HTMLDivElement>(null);
  const points = usePoints(box);
  useEffect(
    () =>
      effect(() => {
        const asked = shown.value;
        const wanted = { window: window.value, points: points.value, polled: polled.value };
        untracked(() => series.show(asked && wanted.points > 0 ? { asked, ...wanted } : null));
      }),
    [shown, window, points, series],
  );
  useEffect(() => {
    const before = missed.peek();
    return effect(() => {
      if (missed.value !== before) untracked(series.refresh);
    });
  }, [missed, series]);
  return { series, box, points };
}
