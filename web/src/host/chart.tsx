// A chart of a host: what the stream tells of it continues what is stored.
import { type ReadonlySignal, useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { rulesOf } from "../alerts/data.ts";
import { thresholdsFor } from "../alerts/thresholds.ts";
import { tooHighHref } from "../alerts/too_high.ts";
import { periodOf } from "../api/catalogue.ts";
import type { ChartMark } from "../charts/marks.ts";
import { Panel } from "../charts/panel.tsx";
import type { PointedSignal, Reasons, Source } from "../charts/source.ts";
import type { ChartSpec } from "../charts/spec.ts";
import type { Entry } from "../live/store.ts";
import { BellIcon } from "../shell/icons.tsx";
import { useChartStats } from "./chart_stats.ts";
import { requestOf } from "./charts.ts";
import type { History } from "./history.ts";
import type { View } from "./view.ts";

interface HostChartProps {
  spec: ChartSpec;
  /** Whether everything of its family is on the page. */
  whole: boolean;
  entry: Entry;
  history: History;
  view: View;
  points: ReadonlySignal<number>;
  pointed: PointedSignal;
  marks: ReadonlySignal<readonly ChartMark[]>;
  reasons: Reasons;
}

export function HostChart(properties: HostChartProps) {
  const { spec, whole, entry, history, view, points, pointed, marks, reasons } = properties;
  const interval_s = entry.host.value.facts.sample_interval_s;
  const statistics = useChartStats(entry.id, spec, view);
  const source = useMemo((): Source => {
    const { name, metrics } = requestOf(spec, whole);
    return {
      stored: history.of(name, metrics),
      period_ms: periodOf(spec.family, interval_s),
      // They are changed in place: charts of a live window are drawn again with its edge, others hold still.
      live: () => entry.rings,
      streamed: view.streamed,
      retry: () => history.retry(name),
      watch: () => history.watch(name),
      ...statistics,
    };
  }, [spec, whole, entry, history, view, interval_s, statistics]);
  const limits = useComputed(() =>
    spec.thresholds ? thresholdsFor(rulesOf(entry), entry.id, spec.thresholds, "*") : null,
  );
  const ceiling = useComputed(() => {
    if (!spec.ceiling) return null;
    entry.tick.value;
    return entry.latest[spec.family]?.[""]?.[spec.ceiling.slice(spec.family.length + 1)] ?? null;
  });
  const metric = spec.thresholds ?? spec.total ?? (spec.parts[0]?.metric as string);
  return (
    <Panel
      spec={spec}
      source={source}
      view={view}
      points={points}
      pointed={pointed}
      limits={limits}
      ceiling={ceiling}
      marks={marks}
      reasons={reasons}
      actions={(peak) => (
        <a
          class="chart-action"
          href={tooHighHref({ metric, host: entry.id, value: 0 })}
          title="Too high? Make a rule of it"
          // What is too high is known when it is pressed, and the link is followed after this.
          onClick={(event) => {
            event.currentTarget.href = tooHighHref({ metric, host: entry.id, value: 0, ...peak() });
          }}
        >
          <BellIcon />
          <span class="hidden">Make a rule about {spec.title}</span>
        </a>
      )}
    />
  );
}
