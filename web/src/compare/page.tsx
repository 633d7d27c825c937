// Several hosts side by side: their metrics over each other or each by itself on one scale, with what was a day or a week
// before behind them; or those that lead in the fleet.
import { computed, useComputed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Loader } from "../api/loading.ts";
import type { Mark } from "../api/types.gen.ts";
import type { Pointed } from "../charts/source.ts";
import { fleet } from "../live/session.ts";
import { useStreamed } from "../live/streamed.ts";
import { query } from "../router.ts";
import { Failed, Nothing, Waiting } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { RangeBar } from "../time/bar.tsx";
import { useTimeKeys } from "../time/keys.ts";
import { useTimeView } from "../time/view.ts";
import { type Asked, among, parseAsked } from "./asked.ts";
import { MetricCharts } from "./chart.tsx";
import { Choosing } from "./choosing.tsx";
import { type Chosen, choose, type Names, namesOf } from "./lines.ts";
import { useFollowed } from "./live.ts";
import { marksOf, useMarks } from "./marks.ts";
import { type Rows, Table } from "./table.tsx";
import { useSeries } from "./use_series.ts";
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
  // Before it is known which hosts there are, none is asked for: of one that was removed nothing is answered.
  const there = useComputed(() =>
    fleet.snapshots.value > 0 ? among(asked.value, fleet.ids.value).hosts.join() : null,
  );
  const shown = useComputed<Asked | null>(() => {
    if (asked.value.hosts.length === 0) return asked.value;
    return there.value ? { ...asked.value, hosts: there.value.split(",") } : null;
  });
  const named = shown.value?.hosts ?? [];
  const followed = useFollowed(named.join());
  const view = useTimeView(followed.edge);
  useTimeKeys(view);
  const streamed = useStreamed(followed.missed);
  const { series, box, points } = useSeries(shown, followed, view);
  const pointed = useSignal<Pointed | null>(null);
  const { metrics, hosts, layout } = asked.value;
  const answers = shown.value ? metrics.map((metric) => series.of(metric).value.value) : [];
  const columns = answers.flatMap((loaded) => loaded?.answer.series ?? []);
  const names = useNames([...new Set([...named, ...columns.map(({ host }) => host)])].join());
  const happened = useMarks(named.join(), view);
  const marks = useMemo(() => marksOf(happened, names), [happened, names]);
  const chosen = answers.map((loaded) => (loaded ? choose(loaded.answer, shown.value ?? asked.value, names) : null));
  const rows = chosen.flatMap((one, at): Rows[] => (one ? [{ metric: metrics[at] as string, lines: one.lines }] : []));
  return (
    <div class="compare">
      <h1 class="hidden">Compare</h1>
      <Choosing
        asked={asked.value}
        missing={there.value === null ? [] : hosts.filter((host) => !named.includes(host))}
        instances={[...new Set(answers.flatMap((loaded) => loaded?.instances ?? []))]}
      />
      <RangeBar view={view} />
      {there.value === null && hosts.length > 0 && <Waiting what="the fleet" />}
      {there.value === "" && hosts.length > 0 && <Nothing>None of these hosts is in the fleet</Nothing>}
      <div class={layout === "over" ? "charts" : "each"} ref={box}>
        {shown.value &&
          metrics.map((metric, at) => (
            <MetricCharts
              key={metric}
              metric={metric}
              asked={shown.value as Asked}
              chosen={chosen[at] ?? NONE}
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
      <MarksFailed marks={happened} />
      {rows.length > 0 && rows.length === metrics.length && <Table rows={JSON.stringify(rows)} view={view} />}
    </div>
  );
}

const NONE: Chosen = { lines: [], more: 0 };

function MarksFailed({ marks }: { marks: Loader<readonly Mark[]> }) {
  const { error, value } = marks.state.value;
  return error === null ? null : (
    <Failed what="What happened to the hosts" error={error} stale={value !== null} onRetry={marks.load} />
  );
}

/** What hosts are called, given as one text; the same as long as all keep their names. */
function useNames(hosts: string): Names {
  const names = useMemo(
    () =>
      computed(() => {
        fleet.ids.value;
        const labelOf = (host: string) => fleet.entries.get(host)?.host.value.label ?? "";
        return JSON.stringify([...namesOf(hosts ? hosts.split(",") : [], labelOf)]);
      }),
    [hosts],
  );
  const text = names.value;
  return useMemo(() => new Map(JSON.parse(text) as [string, string][]), [text]);
}
