// One chart. Stored and live samples are put on one grid and drawn; only charts on the screen are drawn at all.
import { type ReadonlySignal, type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { unitOf } from "../api/catalogue.ts";
import { now } from "../live/session.ts";
import { base, palette } from "../preferences.ts";
import { useOnScreen } from "../shell/on_screen.ts";
import { timeZone } from "../time/zone.ts";
import { gridFor, resolutionName } from "./grid.ts";
import { Legend } from "./legend.tsx";
import { type ChartMark, marksAt } from "./marks.ts";
import { latestWord, type Model, model } from "./model.ts";
import { type Peak, peakOf } from "./peak.ts";
import type { Place } from "./place.ts";
import { createPlot, type Look, type Plot } from "./plot.ts";
import type { ChartView, Extent, Limits, PointedSignal, Reasons, Source } from "./source.ts";
import { type ChartSpec, draws, metricsOf } from "./spec.ts";
import { type Blank, blanks } from "./stretches.ts";
import { type Rings, timeline } from "./timeline.ts";
import { bounds, pointsFor } from "./window.ts";
import "../style/charts.css";

interface PanelProps {
  spec: ChartSpec;
  source: Source;
  view: ChartView;
  /** How many points answers have; 0 until it is measured. */
  points: ReadonlySignal<number>;
  /** Shared by the charts whose cursors move together. */
  pointed: PointedSignal;
  limits?: ReadonlySignal<Limits | null>;
  /** Top of the axis, where it is known beforehand. */
  ceiling?: ReadonlySignal<number | null>;
  /** What its axis reaches besides its own values: charts that share all of theirs have one scale. */
  shared?: ReadonlySignal<Extent>;
  marks?: ReadonlySignal<readonly ChartMark[]>;
  /** Told in gaps, and under the cursor. */
  reasons?: Reasons;
  /** Beside the title. `peak` tells the highest point that is shown. */
  actions?: ComponentChildren | ((peak: () => Peak | null) => ComponentChildren);
  /** Under the legend. */
  foot?: ComponentChildren;
  /** Whether the legend is a table with statistics; its own affair where it is not given. */
  open?: Signal<boolean>;
  /** Lies over the chart, such as handles; called again when times or values have moved. */
  over?: (place: Place) => ComponentChildren;
}

interface Shown extends Blank {
  model: Model;
  step_ms: number;
  resolution: string;
  from: number;
  to: number;
}

const NO_MARKS: readonly ChartMark[] = [];
const NO_RINGS: Rings = new Map();
/** How near the cursor has to come to a mark. */
const NEAR_PX = 6;

export function Panel(props: PanelProps) {
  const { spec, source, view, points, pointed, limits, ceiling, shared, marks, reasons, actions, foot, over } = props;
  const [box, onScreen] = useOnScreen<HTMLElement>();
  const canvas = useRef<HTMLDivElement>(null);
  const plot = useSignal<Plot | null>(null);
  const place = useSignal<Place | null>(null);
  const cursor = useSignal<number | null>(null);
  const solo = useSignal<string | null>(null);
  const shown = useSignal<Shown | null>(null);
  const broken = useSignal<string | null>(null);
  const unit = spec.unit ?? unitOf(spec.parts[0]?.metric ?? "");
  const { period_ms } = source;
  const own = useSignal(false);
  const open = props.open ?? own;
  const layered = over !== undefined;

  /** An effect's failure would be nobody's: it is this chart's, and the others go on. */
  const fail = useCallback(
    (error: unknown) => {
      broken.value = error instanceof Error ? error.message : String(error);
      console.error(`The chart ${spec.id} failed:`, error);
    },
    [broken, spec],
  );

  useEffect(() => {
    const element = canvas.current as HTMLDivElement;
    const made = createPlot(element, {
      onCursor: (at) => {
        cursor.value = at?.index ?? null;
        if (at) pointed.value = { time: at.time, chart: spec.id };
        else if (pointed.peek()?.chart === spec.id) pointed.value = null;
      },
      onDrag: view.zoomIn,
      onDoubleClick: view.zoomOut,
      onMove: view.show,
      present: () => now.peek(),
      onPlaced: (next) => {
        if (layered) place.value = next;
      },
      onError: fail,
    });
    plot.value = made;
    const watcher = new ResizeObserver(() => made.resize(element.clientWidth, element.clientHeight));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.value = null;
    };
  }, [plot, place, cursor, pointed, view, spec, fail, layered]);

  useSignalEffect(() => (onScreen.value ? source.watch?.() : undefined));
  useSignalEffect(() => (onScreen.value && open.value ? source.watchStats?.() : undefined));

  function draw(target: Plot): void {
    const window = view.window.value;
    // A fixed window holds still: it does not look at the edge, so samples do not redraw it.
    const fixed = window.kind === "fixed";
    const { from, to } = bounds(window, fixed ? 0 : view.edge.value);
    const held = source.stored.value.value;
    const { step_ms, answer } = gridFor(held?.answer ?? null, from, to, points.value || pointsFor(0), period_ms);
    const lines = timeline(answer, source.live?.() ?? NO_RINGS, metricsOf(spec), step_ms, from, to);
    const made = model(spec, lines, period_ms, solo.value);
    const reach = shared?.value ?? made;
    const streamed = source.streamed?.value;
    const answered = [...(answer && held ? [held.known] : []), ...(streamed ? [streamed] : [])];
    const present = fixed ? now.peek() : Number.POSITIVE_INFINITY;
    const drawn = lines.lines.filter((line) => draws(spec, line.instance));
    const blank = blanks(lines.times, lines.step_ms, drawn, answered, present);
    shown.value = { model: made, step_ms, resolution: answer?.resolution ?? "raw", from, to, ...blank };
    const look: Look = {
      unit,
      base: base(),
      floor: spec.floor,
      ceiling: ceiling?.value ?? null,
      mirrored: spec.parts.some((part) => part.mirrored),
      warning: limits?.value?.warning ?? null,
      critical: limits?.value?.critical ?? null,
      marks: marks?.value ?? NO_MARKS,
      reasons: reasons?.known.value ?? NO_MARKS,
    };
    const scaled = { ...made, low: Math.min(made.low, reach.low), high: Math.max(made.high, reach.high) };
    target.show(scaled, blank, look, from, to);
    if (blank.gaps.length > 0) reasons?.want();
  }
  useSignalEffect(() => {
    const target = plot.value;
    if (!target || !onScreen.value || broken.value !== null) return;
    try {
      draw(target);
    } catch (error) {
      fail(error);
    }
  });
  useSignalEffect(() => {
    palette.value;
    timeZone.value;
    plot.value?.recolor();
  });
  useSignalEffect(() => {
    const at = pointed.value;
    if (!onScreen.value || at?.chart === spec.id) return;
    cursor.value = plot.value?.point(at?.time ?? null) ?? null;
  });

  const drawn = useComputed(() => shown.value?.model ?? null);
  /** What the cursor is at: a mark, or the reason of a gap. */
  const note = useComputed(() => {
    const at = pointed.value;
    const range = shown.value;
    if (!at || !range || at.chart !== spec.id) return "";
    const near_ms = (NEAR_PX * (range.to - range.from)) / Math.max(1, canvas.current?.clientWidth ?? 1);
    const gap = range.gaps.some(({ from, to }) => from <= at.time && at.time < to);
    const why = gap ? marksAt(reasons?.known.value ?? NO_MARKS, at.time, 0).slice(0, 1) : [];
    const found = [...why, ...marksAt(marks?.value ?? NO_MARKS, at.time, near_ms).slice(0, 2)];
    return found.map(({ title }) => title).join(" · ") || (gap ? "No samples here" : "");
  });
  const { loading, error } = source.stored.value;
  const pending = (shown.value?.pending.length ?? 0) > 0;
  const step_ms = shown.value?.step_ms ?? period_ms;
  return (
    <section
      ref={box}
      class={`chart panel ${loading && pending ? "loading" : ""}`}
      aria-label={spec.title}
      aria-busy={loading && pending}
      data-chart={spec.id}
      data-gaps={shown.value?.gaps.length}
      data-pending={shown.value?.pending.length}
    >
      <header>
        <h3 title={spec.meaning}>{spec.title}</h3>
        <span
          class="resolution"
          title={
            step_ms > period_ms
              ? "Average of each step, with the band from its minimum to its maximum"
              : "Every point is one sample"
          }
        >
          {shown.value && resolutionName(shown.value.resolution, step_ms, period_ms)}
        </span>
        {typeof actions === "function"
          ? actions(() => peakOf(spec, shown.peek()?.model.legend ?? [], solo.peek()))
          : actions}
      </header>
      <div class="plot-area">
        <div
          class="plot"
          ref={canvas}
          role="img"
          aria-label={`${spec.title} over time. The values are in the legend and in the statistics below.`}
        />
        {over && place.value && <div class="plot-over">{over(place.value)}</div>}
      </div>
      <Legend
        title={spec.title}
        unit={unit}
        drawn={drawn}
        cursor={cursor}
        solo={solo}
        note={note}
        open={open}
        stats={source.stats ?? null}
        latest={latestWord(view.window.value, step_ms)}
      />
      {broken.value !== null ? (
        <Trouble
          words={`This chart cannot be shown. That is an error in Sonde: ${broken.value}`}
          action="Try again"
          onAct={() => {
            broken.value = null;
          }}
        />
      ) : error ? (
        <Trouble
          words={`${pending ? "Not all of this range is loaded." : "This may be out of date."} ${error}`}
          action="Try now"
          onAct={source.retry}
        />
      ) : (
        !pending && drawn.value?.empty && <p class="nothing">No samples in this range</p>
      )}
      {foot}
    </section>
  );
}

interface TroubleProps {
  words: string;
  action: string;
  onAct: () => void;
}

function Trouble({ words, action, onAct }: TroubleProps) {
  return (
    <div class="failed outdated" role="status">
      <p>{words}</p>
      <button type="button" onClick={onAct}>
        {action}
      </button>
    </div>
  );
}
