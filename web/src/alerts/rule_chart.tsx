// The values that a rule looks at, on one host, with its thresholds as lines to be moved and with what its rehearsal found.
import { useComputed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { instanceOf, metricOf, pathWords } from "../api/catalogue.ts";
import { Panel } from "../charts/panel.tsx";
import type { Pointed } from "../charts/source.ts";
import type { ChartSpec } from "../charts/spec.ts";
import { now } from "../live/session.ts";
import { base } from "../preferences.ts";
import type { Draft } from "./draft.ts";
import { Handle } from "./handle.tsx";
import { added, isDrawn, type Level, linesOf, moved, spansOf, stepOf, topOf } from "./lines.ts";
import { PAST_POINTS, usePast } from "./past.ts";
import type { Played } from "./playing.ts";
import "../style/rule_chart.css";

interface RuleChartProps {
  draft: Draft;
  /** The host in view, of those that the rule is about. */
  host: string;
  hosts: readonly string[];
  onHost: (host: string) => void;
  days: number;
  played: Played | null;
  set: (change: Partial<Draft>) => void;
  /** A line was moved, and is where it is to be. */
  onSettled: () => void;
}

const DAY_MS = 86_400_000;
const LEVELS: readonly Level[] = ["warning", "critical"];
/** Between two presses of a key that move one line. */
const REST_MS = 600;

/** A chart of what `metric` was; the catalogue says all there is to say of it. */
export function chartOf(metric: string): ChartSpec {
  const found = metricOf(metric);
  return {
    id: "rule",
    title: pathWords(metric),
    meaning: found?.metric.meaning ?? "",
    family: found?.family.name ?? "",
    kind: "lines",
    legend: instanceOf(metric) ? "instance" : "part",
    parts: [{ metric }],
    floor: 0,
  };
}

export function RuleChart({ draft, host, hosts, onHost, days, played, set, onSettled }: RuleChartProps) {
  const { metric } = draft;
  const spec = useMemo(() => chartOf(metric), [metric]);
  const unit = metricOf(metric)?.metric.unit ?? "";
  const to = useMemo(() => now.peek(), []);
  const exact = draft.instance !== "" && draft.instance !== "*" && !/[*?]/.test(draft.instance);
  const instance = exact && instanceOf(metric) ? draft.instance : null;
  const { source, view } = usePast({ host, metric, instance, from: to - days * DAY_MS, to });
  const pointed = useSignal<Pointed | null>(null);
  const lines = useSignal(linesOf(draft));
  const drawn = isDrawn(draft);
  const next = drawn ? linesOf(draft) : { warning: null, critical: null };
  if (JSON.stringify(lines.peek()) !== JSON.stringify(next)) lines.value = next;

  const dragged = useSignal(false);
  const resting = useMemo(() => ({ timer: undefined as ReturnType<typeof setTimeout> | undefined, top: 1 }), []);
  // While a line is dragged the axis stands still: otherwise the line would run away from the pointer.
  const top = useComputed(() => {
    const answer = source.stored.value.value?.answer;
    const { warning, critical } = lines.value;
    if (!dragged.value) resting.top = topOf(answer?.series ?? [], [warning, critical], unit, base());
    return resting.top;
  });
  const outcome = played?.told?.outcome ?? null;
  const found = useSignal(outcome);
  // While it is tried again, what was found before stays.
  if (outcome !== null && found.peek() !== outcome) found.value = outcome;
  const shownHost = useSignal(host);
  if (shownHost.peek() !== host) shownHost.value = host;
  const marks = useComputed(() => (found.value ? spansOf(found.value, shownHost.value, base()) : []));

  const step = stepOf(top.value, unit, base());
  /** Once it rests: a key is seldom pressed only once. */
  function settle(): void {
    clearTimeout(resting.timer);
    resting.timer = setTimeout(onSettled, REST_MS);
  }
  function move(level: Level, value: number): void {
    set(moved(draft, level, value));
    if (!dragged.peek()) settle();
  }
  return (
    <div class="rule-chart" data-spans={marks.value.length}>
      <Panel
        spec={spec}
        source={source}
        view={view}
        points={PAST_POINTS}
        pointed={pointed}
        limits={lines}
        ceiling={top}
        marks={marks}
        actions={
          hosts.length > 1 && (
            <label>
              <span class="hidden">Shown </span>on{" "}
              <select name="shown" value={host} onChange={(event) => onHost(event.currentTarget.value)}>
                {hosts.map((id) => (
                  <option key={id} value={id}>
                    {id}
                  </option>
                ))}
              </select>
            </label>
          )
        }
        foot={
          <p class="hint lines-hint">
            {!drawn && "The thresholds are of something else than these values: they are no lines among them."}
            {drawn &&
              LEVELS.map((level) =>
                next[level] === null ? (
                  <button
                    key={level}
                    type="button"
                    class={`quiet tone-${level}`}
                    onClick={() => {
                      set(added(draft, level, top.peek(), step));
                      settle();
                    }}
                  >
                    Draw a {level} line
                  </button>
                ) : null,
              )}
            {drawn && LEVELS.some((level) => next[level] !== null) && "Drag the lines, or move them with the arrows."}
          </p>
        }
        over={(place) =>
          LEVELS.map((level) => {
            const value = next[level];
            if (value === null) return null;
            return (
              <Handle
                key={level}
                level={level}
                value={value}
                unit={unit}
                step={step}
                place={place}
                onMove={(to) => move(level, to)}
                onDrag={(goes) => {
                  dragged.value = goes;
                  if (!goes) settle();
                }}
              />
            );
          })
        }
      />
    </div>
  );
}
