// The exact numbers behind the charts: a row a line, for the range in view.
import { effect, untracked, useComputed } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { pathWords, unitOf } from "../api/catalogue.ts";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Stat, StatsAnswer } from "../api/types.gen.ts";
import type { ChartView } from "../charts/source.ts";
import { bounds } from "../charts/window.ts";
import { text } from "../format.ts";
import { now } from "../live/session.ts";
import { base } from "../preferences.ts";
import { Loaded } from "../shell/loaded.tsx";
import { Scroller } from "../shell/scroller.tsx";
import { Nothing } from "../shell/states.tsx";
import type { Line } from "./lines.ts";

/** Of a window that moves on they are counted anew so often. */
const EVERY_MS = 60_000;

export interface Rows {
  metric: string;
  lines: readonly Line[];
}

interface Row extends Line {
  metric: string;
  stat: Stat;
}

const NUMBERS = [
  ["Last", "last"],
  ["Min", "min"],
  ["Avg", "avg"],
  ["p95", "p95"],
  ["Max", "max"],
] as const;

/** `rows`: what the charts draw, as one text that is the same as long as it would say the same. */
export function Table({ rows, view: { window, edge } }: { rows: string; view: ChartView }) {
  const shown = useMemo(() => JSON.parse(rows) as Rows[], [rows]);
  const turn = useComputed(() => (window.value.kind === "live" ? Math.floor(now.value / EVERY_MS) : 0));
  const stats = useMemo(
    () =>
      loader(async (signal) => {
        const { from, to } = bounds(window.peek(), edge.peek());
        const ends = { from: String(Math.floor(from)), to: String(Math.ceil(to)) };
        const hosts = [...new Set(shown.flatMap(({ lines }) => lines.map((line) => line.host)))];
        const answers = await Promise.all(
          hosts.map((host) => {
            const metrics = shown.filter(({ lines }) => lines.some((line) => line.host === host));
            const query = new URLSearchParams({ metrics: metrics.map(({ metric }) => metric).join(), ...ends });
            return get<StatsAnswer>(`/hosts/${encodeURIComponent(host)}/stats?${query}`, signal);
          }),
        );
        return rowsOf(shown, answers);
      }),
    [shown, window, edge],
  );
  useEffect(() => {
    const stop = effect(() => {
      turn.value;
      window.value;
      untracked(stats.load);
    });
    return () => {
      stop();
      stats.close();
    };
  }, [stats, turn, window]);
  return (
    <section class="compared" aria-labelledby="compared" aria-busy={stats.state.value.loading}>
      <h2 id="compared">Statistics</h2>
      <Loaded from={stats} what="The statistics">
        {(found) => (found.length > 0 ? <Numbers rows={found} /> : <Nothing>No samples in this range</Nothing>)}
      </Loaded>
    </section>
  );
}

/** Of each metric the lines with the largest averages first. */
function rowsOf(shown: readonly Rows[], answers: readonly StatsAnswer[]): Row[] {
  return shown.flatMap(({ metric, lines }) =>
    lines
      .flatMap((line) => {
        const of = answers.find((answer) => answer.host === line.host);
        const stat = of?.stats.find((one) => one.metric === metric && one.instance === line.instance);
        return stat ? [{ ...line, metric, stat }] : [];
      })
      .sort((a, b) => (b.stat.avg ?? 0) - (a.stat.avg ?? 0)),
  );
}

function Numbers({ rows }: { rows: readonly Row[] }) {
  return (
    <Scroller label="Statistics of what is compared, scrolls sideways" class="panel table-panel listing">
      <table>
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col">Of</th>
            {NUMBERS.map(([words]) => (
              <th key={words} scope="col" class="n">
                {words}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ metric, host, instance, name, stat }, at) => (
            <tr key={`${metric} ${host} ${instance}`} data-row={`${metric} ${host} ${instance}`.trim()}>
              <td class="muted">
                {rows[at - 1]?.metric === metric ? <span class="hidden">{pathWords(metric)}</span> : pathWords(metric)}
              </td>
              <th scope="row">
                <a href={`/hosts/${encodeURIComponent(host)}`} title={host}>
                  {name}
                </a>
              </th>
              {NUMBERS.map(([words, value]) => (
                <td key={words} class="n">
                  {text(stat[value], unitOf(metric), base())}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
