// The values that a rule looks at, on one host, with its thresholds as lines to be moved and with what its rehearsal found.
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { instanceOf, metricOf, pathWords } from "../api/catalogue.ts";
import type { Outcome } from "../api/types.gen.ts";
import type { ChartMark } from "../charts/marks.ts";
import { Panel } from "../charts/panel.tsx";
import type { Pointed } from "../charts/source.ts";
import type { ChartSpec } from "../charts/spec.ts";
import { now } from "../live/session.ts";
import { base } from "../preferences.ts";
import type { Choice, InForce } from "./chart_hosts.ts";
import type { Draft } from "./draft.ts";
import { Handle } from "./handle.tsx";
import { levelFaults } from "./limits.ts";
import { added, type Level, linesOf, moved, spansOf, stepOf, topOf } from "./lines.ts";
import { PAST_POINTS, usePast } from "./past.ts";
import { isDrawn, WINDOW_WORDS } from "./words.ts";
import "../style/rule_chart.css";

interface RuleChartProps {
  draft: Draft;
  /** The host in view, of those that the rule is about. */
  host: string;
  /** Those to choose from. */
  choice: Choice;
  onHost: (host: string) => void;
  /** What holds for the host in view in the place of the draft's own lines. */
  inForce: InForce | null;
  days: number;
  /** What the last rehearsal found; null: nothing yet. */
  found: Outcome | null;
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

export function RuleChart(properties: RuleChartProps) {
  const { draft, host, choice, onHost, inForce, days, found, set, onSettled } = properties;
  const { metric } = draft;
  const spec = useMemo(() => chartOf(metric), [metric]);
  const unit = metricOf(metric)?.metric.unit ?? "";
  const to = useMemo(() => now.peek(), []);
  const exact = draft.instance !== "" && draft.instance !== "*" && !/[*?]/.test(draft.instance);
  const instance = exact && instanceOf(metric) ? draft.instance : null;
  const from = to - days * DAY_MS;
  const { source, view } = usePast({ host, metric, instance, from, to, about: String(days) });
  const pointed = useSignal<Pointed | null>(null);
  const lines = useSignal(linesOf(draft));
  const drawn = isDrawn(draft.window_function);
  const next = drawn ? { ...linesOf(draft), ...inForce?.lines } : { warning: null, critical: null };
  if (JSON.stringify(lines.peek()) !== JSON.stringify(next)) lines.value = next;

  const [fault] = Object.values(levelFaults(draft, draft.comparison, false));
  const dragged = useSignal(false);
  const resting = useMemo(() => ({ timer: undefined as ReturnType<typeof setTimeout> | undefined, top: 1 }), []);
  // While a line is dragged the axis stands still: otherwise the line would run away from the pointer.
  const top = useComputed(() => {
    const answer = source.stored.value.value?.answer;
    const { warning, critical } = lines.value;
    if (!dragged.value) resting.top = topOf(answer?.series ?? [], [warning, critical], unit, base());
    return resting.top;
  });
  const marks = useSignal<readonly ChartMark[]>([]);
  const spans = useMemo(() => (found ? spansOf(found, host, base()) : []), [found, host, base()]);
  if (marks.peek() !== spans) marks.value = spans;

  const step = stepOf(top.value, unit, base());
  useEffect(() => () => clearTimeout(resting.timer), [resting]);
  /** Once it rests: a key is seldom pressed only once. */
  function settle(): void {
    clearTimeout(resting.timer);
    resting.timer = setTimeout(onSettled, REST_MS);
  }
  /** Lines of an exception stand still: they are not the draft's. */
  const isMoved = (level: Level): boolean => next[level] !== null && inForce?.lines[level] === undefined;
  /** Where the axis begins. */
  function lowest(): number {
    const columns = source.stored.peek().value?.answer.series ?? [];
    return columns.some(({ min }) => min.some((value) => value !== null && value < 0)) ? -top.peek() : 0;
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
          choice.hosts.length > 1 && (
            <label>
              <span class="hidden">Shown </span>on{" "}
              <select name="shown" value={host} onChange={(event) => onHost(event.currentTarget.value)}>
                {choice.hosts.map((id) => (
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
            <span class="error" role="status">
              {drawn && fault && `Not tried: ${fault} `}
            </span>
            {!drawn &&
              `This rule looks at ${WINDOW_WORDS[draft.window_function]}, not at the value itself, so its thresholds are not lines on this chart. Set them below; “Try it” shows when it would have fired.`}
            {drawn &&
              LEVELS.map((level) =>
                next[level] === null ? (
                  <button
                    key={level}
                    type="button"
                    class={`quiet tone-${level}`}
                    onClick={() => {
                      set(added(draft, level, [lowest(), top.peek()], step));
                      settle();
                    }}
                  >
                    Draw a {level} line
                  </button>
                ) : null,
              )}
            {drawn && LEVELS.some(isMoved) && "Drag the lines, or move them with the arrows. "}
            {drawn && inForce && `On ${host} exception ${inForce.number} holds. `}
            {choice.more > 0 &&
              `The rule looks at ${choice.more} more ${choice.more === 1 ? "host" : "hosts"}: name one under “Host” to see it.`}
          </p>
        }
        over={(place) =>
          LEVELS.map((level) => {
            const value = next[level];
            if (value === null || !isMoved(level)) return null;
            return (
              <Handle
                key={level}
                level={level}
                comparison={draft.comparison}
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
