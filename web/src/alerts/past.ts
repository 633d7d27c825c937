// A stretch of one metric's past for a chart in a dialog: what is stored of it, and a range that is the dialog's own.
import { effect, signal, untracked, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { metricOf, periodOf } from "../api/catalogue.ts";
import { get } from "../api/client.ts";
import { type Loader, loader } from "../api/loading.ts";
import type { SeriesAnswer } from "../api/types.gen.ts";
import type { ChartView, Source, Stored } from "../charts/source.ts";
import { bounds, type Window, zoomed } from "../charts/window.ts";
import { fleet, now } from "../live/session.ts";
import { windowFrom, withWhole } from "./zoom.ts";

export interface Past {
  source: Source;
  view: ChartView;
}

const POINTS = 600;

export interface Wanted {
  host: string;
  metric: string;
  /** Null: all of them. */
  instance: string | null;
  /** Unix milliseconds. */
  from: number;
  to: number;
  /** What the range is about: another one ends a zoom, while a range that only moves on leaves it alone. */
  about: string;
}

/** The number of points that such a chart asks for. */
export const PAST_POINTS = signal(POINTS);

export function usePast({ host, metric, instance, from, to, about }: Wanted): Past {
  const window = useSignal<Window>(windowFrom(from, to));
  const before = useSignal<readonly Window[]>([]);
  const stored = useMemo<Loader<Stored>>(
    () => loader((signal) => ask(host, metric, instance, window.peek(), signal)),
    [host, metric, instance, window],
  );
  useEffect(() => () => stored.close(), [stored]);
  const shown = useRef({ from, to, about });
  useEffect(() => {
    const last = shown.current;
    if (last.from === from && last.to === to && last.about === about) return;
    shown.current = { from, to, about };
    const zoom = { shown: window.peek(), before: before.peek() };
    const next = withWhole(zoom, windowFrom(from, to), last.about === about);
    before.value = next.before;
    window.value = next.shown;
  }, [before, window, from, to, about]);
  useEffect(
    () =>
      effect(() => {
        window.value;
        untracked(stored.load);
      }),
    [stored, window],
  );

  const source = useMemo<Source>(() => {
    const interval_s = fleet.entries.get(host)?.host.peek().facts.sample_interval_s ?? 1;
    return {
      stored: stored.state,
      period_ms: periodOf(metricOf(metric)?.family.name ?? "", interval_s),
      retry: stored.load,
    };
  }, [stored, host, metric]);
  const view = useMemo<ChartView>(() => {
    const enter = (next: Window) => {
      before.value = [...before.peek(), window.peek()];
      window.value = next;
    };
    return {
      window,
      edge: signal(0),
      zoomIn: (a, b) => {
        const next = zoomed(window.peek(), 0, a, b);
        if (next) enter(next);
      },
      zoomOut: () => {
        const last = before.peek().at(-1);
        if (!last) return;
        before.value = before.peek().slice(0, -1);
        window.value = last;
      },
      show: (a, b) => enter(windowFrom(a, b)),
    };
  }, [window, before]);
  return { source, view };
}

async function ask(
  host: string,
  metric: string,
  instance: string | null,
  window: Window,
  signal: AbortSignal,
): Promise<Stored> {
  const { from, to } = bounds(window, now.peek());
  const query = new URLSearchParams({
    metrics: metric,
    from: String(Math.floor(from)),
    to: String(Math.ceil(to)),
    points: String(POINTS),
  });
  if (instance) query.set("instance", instance);
  const answer = await get<SeriesAnswer>(`/hosts/${encodeURIComponent(host)}/series?${query}`, signal);
  return { answer, known: { from: answer.from, to: Math.min(answer.to, now.peek()) } };
}
