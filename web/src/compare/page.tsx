// Several hosts side by side: their metrics over each other or each by itself on one scale, with what was a day or a week
// before behind them; or those that lead in the fleet.
import { effect, untracked, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Pointed } from "../charts/source.ts";
import type { Stretch } from "../charts/stretches.ts";
import { pointsFor } from "../charts/window.ts";
import { connection, live, now } from "../live/session.ts";
import { query } from "../router.ts";
import { useTitle } from "../shell/title.ts";
import { RangeBar } from "../time/bar.tsx";
import { useTimeKeys } from "../time/keys.ts";
import { useTimeView } from "../time/view.ts";
import { MOST_LINES, parseAsked } from "./asked.ts";
import { MetricCharts } from "./chart.tsx";
import { Choosing } from "./choosing.tsx";
import { openSeries } from "./data.ts";
import { choose } from "./lines.ts";
import { useFollowed } from "./live.ts";
import { useMarks } from "./marks.ts";
import { type Rows, Table } from "./table.tsx";
import "../style/charts.css";
import "../style/people.css";
import "../style/compare.css";

export function ComparePage() {
  useTitle("Compare");
  const text = useComputed(() => {
    const entries = ["hosts", "metrics", "top", "by", "layout", "behind"].map((name) => [name, query.value.get(name)]);
    const kept = new URLSearchParams(entries.filter(([, value]) => value !== null) as [string, string][]);
    for (const instance of query.value.getAll("of")) kept.append("of", instance);
    return kept.toString();
  });
  // The same as long as it asks for the same: the range is another matter.
  const asked = useComputed(() => parseAsked(new URLSearchParams(text.value)));
  const { hosts, metrics, instances, layout } = asked.value;
  const followed = useFollowed(hosts.join());
  const view = useTimeView(followed.edge);
  useTimeKeys(view);
  const streamed = useStreamed();
  const marks = useMarks(hosts.join(), view);
  const series = useMemo(openSeries, []);
  useEffect(() => series.close, [series]);
  const pointed = useSignal<Pointed | null>(null);
  const { box, points } = usePoints(layout);
  const polled = useComputed(() => connection.value.kind === "lost" && connection.value.poll_ms !== null);
  // Anew with other hosts: where a live window ends is theirs to say.
  useEffect(
    () =>
      effect(() => {
        const wanted = { asked: asked.value, window: view.window.value, points: points.value, polled: polled.value };
        if (points.value > 0)
          untracked(() => series.show({ ...wanted, edge: () => view.edge.peek(), now: () => now.peek() }));
      }),
    [asked, view, points, polled, series],
  );
  const found = metrics.flatMap((metric) => {
    const { value } = series.of(metric).value;
    return value ? [{ metric, ...choose(value.answer, instances, MOST_LINES) }] : [];
  });
  const rows: Rows[] = found.map(({ metric, lines }) => ({ metric, lines: [...lines] }));
  return (
    <div class="compare">
      <h1 class="hidden">Compare</h1>
      <Choosing asked={asked.value} instances={[...new Set(found.flatMap((one) => one.instances))].sort()} />
      <RangeBar view={view} />
      <div class={layout === "over" ? "charts" : "each"} ref={box}>
        {metrics.map((metric) => (
          <MetricCharts
            key={metric}
            metric={metric}
            asked={asked.value}
            series={series}
            followed={followed}
            streamed={streamed}
            marks={marks}
            view={view}
            points={points}
            pointed={pointed}
          />
        ))}
      </div>
      {rows.length === metrics.length && <Table rows={JSON.stringify(rows)} view={view} />}
    </div>
  );
}

/** As many points as the charts have pixels. */
function usePoints(layout: string) {
  const box = useRef<HTMLDivElement>(null);
  const points = useSignal(0);
  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const measure = () => {
      points.value = pointsFor(element.querySelector(".plot")?.clientWidth ?? element.clientWidth);
    };
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [points, layout]);
  return { box, points };
}

/** The stretch of which the live stream told, up to now while it is there; null before it first was. */
function useStreamed() {
  const streamed = useSignal<Stretch | null>(null);
  useSignalEffect(() => {
    if (live.value) streamed.value = { from: now.peek(), to: Number.POSITIVE_INFINITY };
    else if (streamed.peek()) streamed.value = { from: streamed.peek()?.from ?? 0, to: now.peek() };
  });
  return streamed;
}
