// One metric of all that is compared: in one chart, or one chart each on a scale that they share.
import { computed, type ReadonlySignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { familyOf, instanceOf, metricOf, pathWords, periodOf, unitOf } from "../api/catalogue.ts";
import type { Loading } from "../api/loading.ts";
import type { Mark } from "../api/types.gen.ts";
import { Panel } from "../charts/panel.tsx";
import type { ChartView, Extent, PointedSignal, Source, Stored } from "../charts/source.ts";
import type { ChartSpec } from "../charts/spec.ts";
import { bounds } from "../charts/window.ts";
import { fleet } from "../live/session.ts";
import { Boundary } from "../shell/boundary.tsx";
import { type Asked, BEHIND_WORDS } from "./asked.ts";
import type { Series } from "./data.ts";
import { answered, behindOf, type Chosen, extentOf, type Line } from "./lines.ts";
import type { Followed } from "./live.ts";

interface MetricProps {
  metric: string;
  asked: Asked;
  chosen: Chosen;
  series: Series;
  followed: Followed;
  streamed: Source["streamed"];
  marks: ReadonlySignal<readonly Mark[]>;
  view: ChartView;
  points: ReadonlySignal<number>;
  pointed: PointedSignal;
}

export function MetricCharts(properties: MetricProps) {
  const { metric, asked, chosen } = properties;
  const { more } = chosen;
  const names = JSON.stringify(chosen.lines);
  // The same as long as it says the same.
  const lines = useMemo(() => chosen.lines, [names]);
  const title = pathWords(metric);
  const shared = useShared(properties, lines);
  const each = asked.layout === "each" && lines.length > 0;
  return (
    <section class={each ? "multiples" : "overlaid"} {...(each ? { "aria-label": title } : {})} data-metric={metric}>
      {each && <h2>{title}</h2>}
      {each ? (
        <div class="charts">
          {lines.map((line) => (
            <Boundary key={line.name} what={`The chart of ${line.name}`}>
              <OneChart
                {...properties}
                id={`${metric} ${line.name}`}
                title={line.name}
                lines={[line]}
                shared={shared}
              />
            </Boundary>
          ))}
        </div>
      ) : (
        <Boundary what={`The chart ${title}`}>
          <OneChart {...properties} id={metric} title={title} lines={lines} shared={null} />
        </Boundary>
      )}
      {more > 0 && (
        <p class="hint">
          The {lines.length} largest are drawn, {more} more are not. Choose {instancesWord(metric)} above to see others.
        </p>
      )}
    </section>
  );
}

const instancesWord = (metric: string): string =>
  instanceOf(metric) === "" ? "hosts" : `hosts or ${instanceOf(metric)}s`;

/** Of all lines of a metric, so that their charts have one scale and can be compared. */
function useShared(
  { metric, asked, series, followed, view }: MetricProps,
  lines: readonly Line[],
): ReadonlySignal<Extent> {
  const state = series.of(metric);
  const ranked = asked.hosts.length === 0;
  return useMemo(
    () =>
      computed(() => {
        const { value } = state.value;
        if (!value) return NO_EXTENT;
        const window = view.window.value;
        const { from, to } = bounds(window, window.kind === "fixed" ? 0 : view.edge.value);
        const rings = ranked ? [] : (followed.rings(metric, lines).get(metric)?.values() ?? []);
        return extentOf(answered(value.answer, value.before, lines, value.shift_ms), rings, from, to);
      }),
    [state, metric, lines, followed, view, ranked],
  );
}

const NO_EXTENT: Extent = { low: 0, high: 0 };

interface OneProps extends MetricProps {
  id: string;
  title: string;
  lines: readonly Line[];
  /** What all charts of the metric reach; null: it is the only one. */
  shared: ReadonlySignal<Extent> | null;
}

function OneChart({ metric, asked, series, followed, streamed, marks, view, points, pointed, ...of }: OneProps) {
  const { id, title, lines, shared } = of;
  const names = JSON.stringify(lines);
  const { behind } = asked;
  const alone = shared !== null;
  const spec = useMemo(
    () => specOf(id, title, metric, BEHIND_WORDS[behind], alone),
    [id, title, metric, behind, alone],
  );
  const drawn = useMemo(() => lines, [names]);
  const state = series.of(metric);
  const stored = useMemo(
    () =>
      computed<Loading<Stored>>(() => {
        const { value, ...rest } = state.value;
        if (value === null) return { value: null, ...rest };
        const answer = answered(value.answer, value.before, drawn, value.shift_ms);
        return { value: { answer, known: value.known }, ...rest };
      }),
    [state, drawn],
  );
  const own = useMemo(
    () => computed(() => marks.value.filter((mark) => drawn.some((line) => line.host === mark.host))),
    [marks, drawn],
  );
  const ranked = asked.hosts.length === 0;
  const period_ms = periodOf(spec.family, slowest(drawn));
  const source = useMemo((): Source => {
    const found: Source = {
      stored,
      period_ms,
      retry: () => series.retry(metric),
    };
    // Who leads is known of what is stored alone.
    if (ranked) return found;
    return { ...found, live: () => followed.rings(metric, drawn), ...(streamed ? { streamed } : {}) };
  }, [stored, series, metric, ranked, followed, drawn, streamed, period_ms]);
  return (
    <Panel
      spec={spec}
      source={source}
      view={view}
      points={points}
      pointed={pointed}
      marks={own}
      {...(shared ? { shared } : {})}
    />
  );
}

/** Seconds between two samples of the host that samples least often: the steps of all are as long. */
const slowest = (lines: readonly Line[]): number =>
  Math.max(1, ...lines.map(({ host }) => fleet.entries.get(host)?.host.value.facts.sample_interval_s ?? 1));

/** `alone`: it is of one line, whose name is its title. */
function specOf(id: string, title: string, metric: string, behind: string, alone: boolean): ChartSpec {
  const family = metric.slice(0, metric.indexOf("."));
  const parts: ChartSpec["parts"] = [alone ? { metric } : { metric, word: "" }];
  if (behind !== BEHIND_WORDS[""]) parts.push({ metric: behindOf(metric), behind: true, word: behind.toLowerCase() });
  return {
    id,
    title,
    meaning: metricOf(metric)?.metric.meaning ?? familyOf(family)?.meaning ?? "",
    family,
    kind: "lines",
    legend: alone ? "part" : "instance",
    parts,
    floor: 0,
    unit: unitOf(metric),
  };
}
