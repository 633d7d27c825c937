// The charts of a host's page: the most important ones of all families, or everything of one family.
import { type ReadonlySignal, type Signal, untracked, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { familyOf, familyWord } from "../api/catalogue.ts";
import { get } from "../api/client.ts";
import type { Loading } from "../api/loading.ts";
import type { SeriesAnswer } from "../api/types.gen.ts";
import type { ChartMark } from "../charts/marks.ts";
import { usePoints } from "../charts/points.ts";
import type { Pointed } from "../charts/source.ts";
import { now, polled } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { Boundary } from "../shell/boundary.tsx";
import { Failed, Nothing, Waiting } from "../shell/states.tsx";
import { HostChart } from "./chart.tsx";
import { chartsFor, metricsStored, requestOf } from "./charts.ts";
import type { Families } from "./families.ts";
import { openHistory } from "./history.ts";
import type { View } from "./view.ts";
import type { Why } from "./why.ts";

interface ChartGridProps {
  entry: Entry;
  /** Moves when the stream was away and is back: what it missed is stored by now. */
  snapshots: Signal<number>;
  view: View;
  /** Null for the overview. */
  family: string | null;
  /** Paths of the metrics that have a latest value, separated by commas. */
  latest: ReadonlySignal<string>;
  families: Families;
  marks: ReadonlySignal<readonly ChartMark[]>;
  why: Why;
}

export function ChartGrid({ entry, snapshots, view, family, latest, families, marks, why }: ChartGridProps) {
  const history = useMemo(
    () =>
      openHistory((asked, signal) =>
        get<SeriesAnswer>(`/hosts/${encodeURIComponent(entry.id)}/series?${asked}`, signal),
      ),
    [entry],
  );
  useEffect(() => () => history.close(), [history]);
  const pointed = useSignal<Pointed | null>(null);
  const whole = family !== null;

  /** Asked for though no chart shows them yet: what is stored of families that are sampled no more. */
  const past = useComputed(() => {
    const paths = families.ended.value.split(",").flatMap(pathsOf);
    return chartsFor(new Set(paths), family, []).map((spec) => requestOf(spec, whole));
  });
  useSignalEffect(() => {
    const releases = past.value.map(({ name, metrics }) => {
      history.of(name, metrics);
      return history.watch(name);
    });
    return () => {
      for (const release of releases) release();
    };
  });

  const metrics = useComputed(() => {
    const stored = past.value.flatMap(({ name, metrics }) =>
      metricsStored(history.of(name, metrics).value.value?.answer ?? null),
    );
    return [...new Set([...latest.value.split(","), ...stored])].sort().join();
  });
  const custom = useComputed(() => {
    entry.tick.value;
    return Object.keys(entry.latest.custom ?? {}).join("\n");
  });
  const specs = useMemo(
    () => chartsFor(new Set(metrics.value.split(",")), family, custom.value.split("\n").filter(Boolean)),
    [metrics.value, custom.value, family],
  );

  const grid = useRef<HTMLDivElement>(null);
  const points = usePoints(grid);

  useSignalEffect(() => {
    if (points.value > 0)
      history.show({
        window: view.window.value,
        points: points.value,
        polled: polled.value,
        edge: () => view.edge.peek(),
        now: () => now.peek(),
      });
  });
  useSignalEffect(() => {
    if (snapshots.value > 1) history.refresh();
  });
  useSignalEffect(() => {
    const present = now.value;
    untracked(() => history.tick(present));
  });

  return (
    <div class="charts" ref={grid}>
      {specs.map((spec) => (
        <Boundary key={spec.id} what={`The chart ${spec.title}`}>
          <HostChart
            spec={spec}
            whole={whole}
            entry={entry}
            history={history}
            view={view}
            points={points}
            pointed={pointed}
            marks={marks}
            reasons={why.of(spec.family)}
          />
        </Boundary>
      ))}
      {specs.length === 0 && (
        <NoCharts
          what={family === null ? "samples" : `samples of ${familyWord(family)}`}
          states={[
            families.stored.state.value,
            ...past.value.map(({ name, metrics }) => history.of(name, metrics).value),
          ]}
        />
      )}
    </div>
  );
}

const pathsOf = (family: string): string[] =>
  familyOf(family)?.metrics.map((metric) => `${family}.${metric.name}`) ?? [];

/** Nothing was heard of the host or family lately, and nothing stored was found yet. */
function NoCharts({ what, states }: { what: string; states: Loading<unknown>[] }) {
  const failed = states.find((state) => state.error);
  if (failed?.error) return <Failed what="The history" error={failed.error} retried={!failed.refused} />;
  if (states.some((state) => state.loading)) return <Waiting what="the history" />;
  return <Nothing>{`No ${what} in this range`}</Nothing>;
}
