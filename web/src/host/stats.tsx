// The exact numbers behind the charts, for the range in view: the table that stands for every chart.
import { useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { familyOf, familyWord, metricOf, OVERVIEW, pathWords } from "../api/catalogue.ts";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Stat, StatsAnswer } from "../api/types.gen.ts";
import { bounds } from "../charts/window.ts";
import { moment, span, text } from "../format.ts";
import { now } from "../live/session.ts";
import { base } from "../preferences.ts";
import { query, setQuery } from "../router.ts";
import { Scroller } from "../shell/scroller.tsx";
import { Failed, Nothing, Waiting } from "../shell/states.tsx";
import { exactness, exportPath, exportResolution, statsAfter } from "./exports.ts";
import type { Families } from "./families.ts";
import type { View } from "./view.ts";
import "../style/stats.css";

interface StatsProps {
  host: string;
  view: View;
  families: Families;
  /** The family to begin with; empty for the overview. */
  of: string;
}

export function Stats({ host, view: { window, edge }, families, of }: StatsProps) {
  const family = useComputed(() => query.value.get("stats") ?? of);
  const metrics = useComputed(() => {
    const present = families.all.value.split(",");
    const chosen = familyOf(family.value);
    if (chosen) return chosen.metrics.map((metric) => `${chosen.name}.${metric.name}`).join();
    return OVERVIEW.filter((path) => present.includes(path.slice(0, path.indexOf(".")))).join();
  });
  const turn = useComputed(() =>
    window.value.kind === "live" ? Math.floor(now.value / statsAfter(window.value.span_ms)) : 0,
  );
  const stats = useMemo(
    () =>
      loader((signal) => {
        const { from, to } = bounds(window.peek(), edge.peek());
        const asked = new URLSearchParams({
          metrics: metrics.peek(),
          from: String(Math.floor(from)),
          to: String(Math.ceil(to)),
        });
        return get<StatsAnswer>(`/hosts/${encodeURIComponent(host)}/stats?${asked}`, signal);
      }),
    [host, window, edge, metrics],
  );
  useEffect(() => stats.close, [stats]);
  useSignalEffect(() => {
    turn.value;
    window.value;
    if (metrics.value) stats.load();
  });

  const { value: answer, loading, error, refused } = stats.state.value;
  return (
    <section class="stats panel" aria-labelledby="stats" aria-busy={loading}>
      <header>
        <h2 id="stats">Statistics</h2>
        <span class="resolution">
          {answer && `${answer.resolution}, ${exactness(answer)} · ${span(answer.from, answer.to, now.peek())}`}
        </span>
        {answer && metrics.value && (
          <span class="export">
            Export{" "}
            {(["csv", "ndjson"] as const).map((format) => (
              <a
                key={format}
                href={exportPath(host, metrics.value, answer, format)}
                title={`What is shown here, as ${exportResolution(answer)} rows`}
                download
              >
                {format.toUpperCase()}
              </a>
            ))}
          </span>
        )}
        <label>
          <span class="hidden">Metrics</span>
          <select
            value={family.value}
            onChange={(event) => setQuery({ stats: event.currentTarget.value || null }, { replace: true })}
          >
            <option value="">Overview</option>
            {[...new Set([...families.all.value.split(","), "agent", family.value])].filter(Boolean).map((name) => (
              <option key={name} value={name}>
                {familyWord(name)}
              </option>
            ))}
          </select>
        </label>
      </header>
      {error && (
        <Failed what="The statistics" error={error} stale={answer !== null} retried={!refused} onRetry={stats.load} />
      )}
      {!metrics.value && !families.stored.state.value.loading && <Nothing>No samples in this range</Nothing>}
      {!answer && loading && <Waiting what="the statistics" />}
      {answer?.stats.length === 0 && <Nothing>No samples in this range</Nothing>}
      {answer && answer.stats.length > 0 && <Table stats={answer.stats} />}
    </section>
  );
}

function Table({ stats }: { stats: Stat[] }) {
  return (
    <Scroller label="Table of statistics">
      <table>
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col">Of</th>
            {["Last", "Min", "Avg", "Max", "p50", "p95", "p99"].map((name) => (
              <th key={name} scope="col" class="n">
                {name}
              </th>
            ))}
            <th scope="col">Max at</th>
            <th scope="col" class="n">
              Samples
            </th>
          </tr>
        </thead>
        <tbody>
          {stats.map((stat) => (
            <Row key={`${stat.metric} ${stat.instance}`} stat={stat} />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function Row({ stat }: { stat: Stat }) {
  const show = (value: number | null) => text(value, stat.unit, base());
  return (
    <tr>
      <th scope="row" title={metricOf(stat.metric)?.metric.meaning}>
        {pathWords(stat.metric)}
      </th>
      <td>{stat.instance}</td>
      <td class="n">{show(stat.last)}</td>
      <td class="n">{show(stat.min)}</td>
      <td class="n">{show(stat.avg)}</td>
      <td class="n strong">{show(stat.max)}</td>
      <td class="n">{show(stat.p50)}</td>
      <td class="n">{show(stat.p95)}</td>
      <td class="n">{show(stat.p99)}</td>
      <td class="muted">{stat.max_time === null ? "" : moment(stat.max_time)}</td>
      <td class="n muted">{text(stat.count, "")}</td>
    </tr>
  );
}
