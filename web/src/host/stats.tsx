// The exact numbers behind the charts, for the range in view: the table that stands for every chart.
import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { CATALOGUE, familyWord, metricOf, OVERVIEW, pathWords } from "../api/catalogue.ts";
import { get, reasonOf } from "../api/client.ts";
import type { Stat, StatsAnswer } from "../api/types.gen.ts";
import { bounds, type Window } from "../charts/window.ts";
import { moment, span, text } from "../format.ts";
import { now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { query, setQuery } from "../router.ts";
import { exactness, exportPath, exportResolution, statsAfter } from "./exports.ts";

interface StatsProps {
  entry: Entry;
  window: ReadonlySignal<Window>;
  edge: ReadonlySignal<number>;
}

export function Stats({ entry, window, edge }: StatsProps) {
  const answer = useSignal<StatsAnswer | null>(null);
  const error = useSignal<string | null>(null);
  const family = useComputed(() => query.value.get("stats") ?? "");
  const present = useComputed(() => {
    entry.tick.value;
    return Object.keys(entry.latest)
      .filter((name) => Object.keys(entry.latest[name] ?? {}).length > 0)
      .join();
  });
  const metrics = useComputed(() => {
    const families = present.value.split(",");
    const chosen = CATALOGUE.find((one) => one.name === family.value);
    if (chosen) return chosen.metrics.map((metric) => `${chosen.name}.${metric.name}`).join();
    return OVERVIEW.filter((path) => families.includes(path.slice(0, path.indexOf(".")))).join();
  });
  const turn = useComputed(() =>
    window.value.kind === "live" ? Math.floor(now.value / statsAfter(window.value.span_ms)) : 0,
  );

  useSignalEffect(() => {
    turn.value;
    if (!metrics.value) return undefined;
    const { from, to } = bounds(window.value, edge.peek());
    const abort = new AbortController();
    const asked = new URLSearchParams({
      metrics: metrics.value,
      from: String(Math.floor(from)),
      to: String(Math.ceil(to)),
    });
    get<StatsAnswer>(`/hosts/${encodeURIComponent(entry.id)}/stats?${asked}`, abort.signal).then(
      (got) => {
        answer.value = got;
        error.value = null;
      },
      (reason: unknown) => {
        if (!abort.signal.aborted) error.value = reasonOf(reason);
      },
    );
    return () => abort.abort();
  });

  return (
    <section class="stats panel" aria-labelledby="stats">
      <header>
        <h2 id="stats">Statistics</h2>
        <span class="resolution">
          {answer.value &&
            `${answer.value.resolution}, ${exactness(answer.value)} · ${span(answer.value.from, answer.value.to)}`}
        </span>
        {answer.value && metrics.value && (
          <span class="export">
            Export{" "}
            {(["csv", "ndjson"] as const).map((format) => (
              <a
                key={format}
                href={exportPath(entry.id, metrics.value, answer.value as StatsAnswer, format)}
                title={`What is shown here, as ${exportResolution(answer.value as StatsAnswer)} rows`}
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
            {present.value.split(",").map((name) => (
              <option key={name} value={name}>
                {familyWord(name)}
              </option>
            ))}
          </select>
        </label>
      </header>
      {error.value && (
        <p class="why" role="status">
          {error.value}
        </p>
      )}
      <div class="scroll">
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
            {answer.value?.stats.map((stat) => (
              <Row key={`${stat.metric} ${stat.instance}`} stat={stat} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
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
