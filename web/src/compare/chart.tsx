// One metric of all that is compared: in one chart, or one chart each on a scale that they share.
import { computed, type ReadonlySignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { familyOf, instanceOf, metricOf, pathWords, periodOf, unitOf } from "../api/catalogue.ts";
import type { Loading } from "../api/loading.ts";
import type { Mark } from "../api/types.gen.ts";
import { Panel } from "../charts/panel.tsx";
import { axisFor } from "../charts/scale.ts";
import type { ChartView, PointedSignal, Source, Stored } from "../charts/source.ts";
import type { ChartSpec } from "../charts/spec.ts";
import { fleet } from "../live/session.ts";
import { base } from "../preferences.ts";
import { Boundary } from "../shell/boundary.tsx";
import { type Asked, BEHIND_WORDS, MOST_LINES } from "./asked.ts";
import type { Loaded, Series } from "./data.ts";
import { answered, behindOf, choose, type Line, largestOf } from "./lines.ts";
import type { Followed } from "./live.ts";

interface MetricProps {
  metric: string;
  asked: Asked;
  series: Series;
  followed: Followed;
  streamed: Source["streamed"];
  marks: ReadonlySignal<readonly Mark[]>;
  view: ChartView;
  points: ReadonlySignal<number>;
  pointed: PointedSignal;
}

const NONE: readonly Line[] = [];

export function MetricCharts(properties: MetricProps) {
  const { metric, asked, series } = properties;
  const state = series.of(metric);
  const { instances } = asked;
  const chosen = useMemo(
    () => computed(() => (state.value.value ? choose(state.value.value.answer, instances, MOST_LINES) : null)),
    [state, instances],
  );
  const lines = chosen.value?.lines ?? NONE;
  const more = chosen.value?.more ?? 0;
  const title = pathWords(metric);
  const ceiling = useShared(state, chosen, unitOf(metric));
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
                ceiling={ceiling}
              />
            </Boundary>
          ))}
        </div>
      ) : (
        <Boundary what={`The chart ${title}`}>
          <OneChart {...properties} id={metric} title={title} lines={lines} ceiling={null} />
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

/** The round value that all charts of a metric reach, so that they can be compared; null: each has its own. */
function useShared(
  state: ReadonlySignal<Loading<Loaded>>,
  chosen: ReadonlySignal<{ lines: readonly Line[] } | null>,
  unit: string,
): ReadonlySignal<number | null> {
  return useMemo(
    () =>
      computed(() => {
        const { value } = state.value;
        if (!value || !chosen.value) return null;
        const most = largestOf(answered(value.answer, value.before, chosen.value.lines, value.shift_ms));
        if (most === null) return null;
        return axisFor({ low: 0, high: most, unit, base: base(), floor: 0, ceiling: null, mirrored: false }).high;
      }),
    [state, chosen, unit],
  );
}

interface OneProps extends MetricProps {
  id: string;
  title: string;
  lines: readonly Line[];
  ceiling: ReadonlySignal<number | null> | null;
}

function OneChart({ metric, asked, series, followed, streamed, marks, view, points, pointed, ...of }: OneProps) {
  const { id, title, lines, ceiling } = of;
  const names = lines.map((line) => `${line.host}\n${line.instance}\n${line.name}`).join("\t");
  const { behind } = asked;
  const alone = ceiling !== null;
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
      {...(ceiling ? { ceiling } : {})}
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
