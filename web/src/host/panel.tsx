// One chart. Stored and live samples are put on one grid and drawn; only charts on the screen are drawn at all.
import { type ReadonlySignal, type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { ruleBodies } from "../alerts/data.ts";
import { thresholdsFor } from "../alerts/thresholds.ts";
import { periodOf, unitOf } from "../api/catalogue.ts";
import type { Loading } from "../api/loading.ts";
import { gridFor, resolutionName } from "../charts/grid.ts";
import { type Model, model } from "../charts/model.ts";
import { createPlot, type Look, type Plot } from "../charts/plot.ts";
import { type ChartSpec, metricsOf } from "../charts/spec.ts";
import { type Blank, blanks } from "../charts/stretches.ts";
import { timeline } from "../charts/timeline.ts";
import { bounds, pointsFor } from "../charts/window.ts";
import { useOnScreen } from "../fleet/on_screen.ts";
import { now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base, palette } from "../preferences.ts";
import type { Stored } from "./history.ts";
import { Legend } from "./legend.tsx";
import type { View } from "./view.ts";
import "../style/charts.css";

/** Where the pointer is, for all charts of a page. */
export interface Pointed {
  time: number;
  /** Id of the chart it is over. */
  chart: string;
}

interface PanelProps {
  spec: ChartSpec;
  entry: Entry;
  stored: ReadonlySignal<Loading<Stored>>;
  view: View;
  points: ReadonlySignal<number>;
  pointed: Signal<Pointed | null>;
  onRetry: () => void;
}

interface Shown extends Blank {
  model: Model;
  step_ms: number;
  resolution: string;
}

export function Panel({ spec, entry, stored, view, points, pointed, onRetry }: PanelProps) {
  const [box, onScreen] = useOnScreen<HTMLElement>();
  const canvas = useRef<HTMLDivElement>(null);
  const plot = useSignal<Plot | null>(null);
  const cursor = useSignal<number | null>(null);
  const solo = useSignal<string | null>(null);
  const shown = useSignal<Shown | null>(null);
  const broken = useSignal<string | null>(null);
  const unit = unitOf(spec.parts[0]?.metric ?? "");
  const period_ms = periodOf(spec.family, entry.host.value.facts.sample_interval_s);

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
  }, [plot, cursor, pointed, view, spec, fail]);

  function draw(target: Plot): void {
    const window = view.window.value;
    // A fixed window holds still: it does not look at the edge, so samples do not redraw it.
    const fixed = window.kind === "fixed";
    const { from, to } = bounds(window, fixed ? 0 : view.edge.value);
    const held = stored.value.value;
    const { step_ms, answer } = gridFor(held?.answer ?? null, from, to, points.value || pointsFor(0), period_ms);
    const lines = timeline(answer, entry.rings, metricsOf(spec), step_ms, from, to);
    const made = model(spec, lines, period_ms, solo.value);
    const answered = [...(answer && held ? [held.known] : []), ...(view.streamed.value ? [view.streamed.value] : [])];
    const present = fixed ? now.peek() : Number.POSITIVE_INFINITY;
    const blank = blanks(lines.times, lines.step_ms, lines.lines, answered, present);
    shown.value = { model: made, step_ms, resolution: answer?.resolution ?? "raw", ...blank };
    const limits = spec.thresholds ? thresholdsFor(ruleBodies.value, entry.id, spec.thresholds, "*") : null;
    const look: Look = {
      unit,
      base: base(),
      floor: spec.floor,
      ceiling: spec.ceiling
        ? (entry.latest[spec.family]?.[""]?.[spec.ceiling.slice(spec.family.length + 1)] ?? null)
        : null,
      mirrored: spec.parts.some((part) => part.mirrored),
      warning: limits?.warning ?? null,
      critical: limits?.critical ?? null,
    };
    target.show(made, blank, look, from, to);
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
    plot.value?.recolor();
  });
  useSignalEffect(() => {
    const at = pointed.value;
    if (!onScreen.value || at?.chart === spec.id) return;
    cursor.value = plot.value?.point(at?.time ?? null) ?? null;
  });

  const drawn = useComputed(() => shown.value?.model ?? null);
  const { loading, error } = stored.value;
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
      </header>
      <div
        class="plot"
        ref={canvas}
        role="img"
        aria-label={`${spec.title} over time. The values are in the legend and in the statistics below.`}
      />
      <Legend unit={unit} drawn={drawn} cursor={cursor} solo={solo} />
      {broken.value !== null ? (
        <Trouble
          words={`This chart cannot be shown. That is a defect of Sonde: ${broken.value}`}
          action="Try again"
          onAct={() => {
            broken.value = null;
          }}
        />
      ) : error ? (
        <Trouble
          words={`${pending ? "Not all of this range is loaded." : "This may be out of date."} ${error}`}
          action="Try now"
          onAct={onRetry}
        />
      ) : (
        !pending && drawn.value?.empty && <p class="nothing">No samples in this range</p>
      )}
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
