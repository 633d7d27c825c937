// A chart of a host: what the stream tells of it continues what is stored.
import { type ReadonlySignal, useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { ruleBodies } from "../alerts/data.ts";
import { thresholdsFor } from "../alerts/thresholds.ts";
import { periodOf } from "../api/catalogue.ts";
import { Panel } from "../charts/panel.tsx";
import type { PointedSignal, Source } from "../charts/source.ts";
import type { ChartSpec } from "../charts/spec.ts";
import type { Entry } from "../live/store.ts";
import type { History } from "./history.ts";
import type { View } from "./view.ts";

interface HostChartProps {
  spec: ChartSpec;
  entry: Entry;
  history: History;
  view: View;
  points: ReadonlySignal<number>;
  pointed: PointedSignal;
}

export function HostChart({ spec, entry, history, view, points, pointed }: HostChartProps) {
  const interval_s = entry.host.value.facts.sample_interval_s;
  const source = useMemo(
    (): Source => ({
      stored: history.of(spec.family),
      period_ms: periodOf(spec.family, interval_s),
      // They are changed in place: charts of a live window are drawn again with its edge, others hold still.
      live: () => entry.rings,
      streamed: view.streamed,
      retry: () => history.retry(spec.family),
    }),
    [spec, entry, history, view, interval_s],
  );
  const limits = useComputed(() =>
    spec.thresholds ? thresholdsFor(ruleBodies.value, entry.id, spec.thresholds, "*") : null,
  );
  const ceiling = useComputed(() => {
    if (!spec.ceiling) return null;
    entry.tick.value;
    return entry.latest[spec.family]?.[""]?.[spec.ceiling.slice(spec.family.length + 1)] ?? null;
  });
  return (
    <Panel
      spec={spec}
      source={source}
      view={view}
      points={points}
      pointed={pointed}
      limits={limits}
      ceiling={ceiling}
    />
  );
}
