// One chart with its title, its resolution and its legend.
import { type ReadonlySignal, type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ruleBodies } from "../alerts/data.ts";
import { thresholdsFor } from "../alerts/thresholds.ts";
import { type Model, model, readingsAt } from "../charts/model.ts";
import { createPlot, type Plot } from "../charts/plot.ts";
import { timeline } from "../charts/timeline.ts";
import { bounds, resolutionName, type Window } from "../charts/window.ts";
import { useOnScreen } from "../fleet/on_screen.ts";
import { clock, quantity } from "../format.ts";
import type { Entry } from "../live/store.ts";
import { base, palette } from "../preferences.ts";
import { type ChartSpec, metricsOf, periodOf } from "./charts.ts";
import type { Stored } from "./history.ts";
import "../style/charts.css";

interface PanelProps {
  spec: ChartSpec;
  entry: Entry;
  stored: Signal<Stored>;
  window: ReadonlySignal<Window>;
  /** The right edge of a live window; moves with samples and, while none come, with time. */
  edge: ReadonlySignal<number>;
  onZoom: (from: number, to: number) => void;
  onBack: () => void;
}

export function Panel({ spec, entry, stored, window, edge, onZoom, onBack }: PanelProps) {
  const [box, onScreen] = useOnScreen<HTMLElement>();
  const canvas = useRef<HTMLDivElement>(null);
  const plot = useSignal<Plot | null>(null);
  const cursor = useSignal<number | null>(null);
  const solo = useSignal<string | null>(null);
  const drawn = useSignal<Model | null>(null);

  useEffect(() => {
    const element = canvas.current as HTMLDivElement;
    const made = createPlot(element, {
      onCursor: (index) => {
        cursor.value = index;
      },
      onDrag: onZoom,
      onDoubleClick: onBack,
    });
    plot.value = made;
    const watcher = new ResizeObserver(() => made.resize(element.clientWidth, element.clientHeight));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
    };
  }, [plot, cursor, onZoom, onBack]);

  useSignalEffect(() => {
    if (!plot.value || !onScreen.value) return;
    const { answer, step_ms } = stored.value;
    // A fixed window holds still: it does not look at the edge, so samples do not redraw it.
    const { from, to } = bounds(window.value, window.value.kind === "live" ? edge.value : 0);
    const made = model(
      spec,
      timeline(answer, entry.rings, metricsOf(spec), step_ms, from, to),
      periodOf(spec.family),
      solo.value,
    );
    drawn.value = made;
    const limits = spec.thresholds ? thresholdsFor(ruleBodies.value, entry.id, spec.thresholds, "*") : null;
    const ceiling = spec.ceiling
      ? (entry.latest[spec.family]?.[""]?.[spec.ceiling.slice(spec.family.length + 1)] ?? null)
      : null;
    plot.value.show(
      made,
      {
        unit: spec.unit,
        base: base(),
        floor: spec.floor,
        ceiling,
        warning: limits?.warning ?? null,
        critical: limits?.critical ?? null,
      },
      from,
      to,
    );
  });
  useSignalEffect(() => {
    palette.value;
    plot.value?.recolor();
  });

  const state = stored.value;
  const summed = state.step_ms > periodOf(spec.family);
  return (
    <section
      ref={box}
      class={`chart panel ${state.loading ? "loading" : ""}`}
      aria-label={spec.title}
      data-chart={spec.id}
    >
      <header>
        <h2 title={spec.meaning}>{spec.title}</h2>
        <span
          class="resolution"
          title={
            summed ? "Average of each step, with the band from its minimum to its maximum" : "Every point is one sample"
          }
        >
          {resolutionName(state.answer?.resolution ?? "raw", state.step_ms, periodOf(spec.family))}
        </span>
      </header>
      <div
        class="plot"
        ref={canvas}
        role="img"
        aria-label={`${spec.title} over time. The values are in the legend and in the statistics below.`}
      />
      <Legend spec={spec} drawn={drawn} cursor={cursor} solo={solo} />
      {state.error && (
        <p class="why" role="status">
          {state.error} Only live samples are shown.
        </p>
      )}
      {!state.error && !state.loading && drawn.value?.empty && <p class="nothing">No samples in this range</p>}
    </section>
  );
}

interface LegendProps {
  spec: ChartSpec;
  drawn: Signal<Model | null>;
  cursor: Signal<number | null>;
  solo: Signal<string | null>;
}

function Legend({ spec, drawn, cursor, solo }: LegendProps) {
  const time = useComputed(() => (cursor.value === null ? null : (drawn.value?.times[cursor.value] ?? null)));
  const made = drawn.value;
  if (!made) return <ul class="legend" />;
  return (
    <ul class="legend">
      {made.legend.map((line) => (
        <li key={line.key}>
          <button
            type="button"
            class={solo.value !== null && solo.value !== line.key ? "off" : ""}
            aria-pressed={solo.value === line.key}
            title={solo.value === line.key ? "Show all" : `Show only ${line.name}`}
            onClick={() => {
              solo.value = solo.value === line.key ? null : line.key;
            }}
          >
            <i style={{ background: line.color < 0 ? "var(--text)" : `var(--c${(line.color % 8) + 1})` }} />
            <span>{line.name}</span>
            {readingsAt(line, cursor.value).map(({ word, value }) => {
              const number = quantity(value, spec.unit, base());
              return (
                <b key={word}>
                  {word && <small>{word}</small>}
                  {number.value}
                  <small>{number.unit}</small>
                </b>
              );
            })}
          </button>
        </li>
      ))}
      {time.value !== null && <li class="at">{clock(time.value)}</li>}
    </ul>
  );
}
