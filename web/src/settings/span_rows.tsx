// The stretches of a week to the minute, each with its days, its beginning and its end.
import { DAY_WORDS, type Day } from "../alerts/telling.ts";
import type { Span } from "../api/types.gen.ts";
import { MOST_SPANS } from "./route_draft.ts";

interface SpanRowsProps {
  spans: readonly Span[];
  /** What is added when one more is asked for. */
  usual: Span;
  wrong: boolean;
  onChange: (spans: Span[]) => void;
}

export function SpanRows({ spans, usual, wrong, onChange }: SpanRowsProps) {
  return (
    <>
      {spans.map((span, index) => (
        <SpanRow
          key={index}
          span={span}
          number={index + 1}
          wrong={index === 0 && wrong}
          onChange={(next) => onChange(spans.map((one, at) => (at === index ? next : one)))}
          onRemove={() => onChange(spans.filter((_, at) => at !== index))}
        />
      ))}
      {spans.length < MOST_SPANS && (
        <button type="button" onClick={() => onChange([...spans, usual])}>
          Add a stretch
        </button>
      )}
    </>
  );
}

interface SpanRowProps {
  span: Span;
  /** Counted from 1. */
  number: number;
  wrong: boolean;
  onChange: (span: Span) => void;
  onRemove: () => void;
}

function SpanRow({ span, number, wrong, onChange, onRemove }: SpanRowProps) {
  const time = (name: "start" | "until", label: string) => (
    <input
      type="time"
      aria-label={`${label} of stretch ${number}`}
      aria-invalid={wrong ? "true" : undefined}
      // Both are midnight, and an end that is not later than its beginning is on the day after.
      value={span[name] === "24:00" ? "00:00" : span[name]}
      onInput={(event) => onChange({ ...span, [name]: event.currentTarget.value })}
    />
  );
  function choose(day: Day, on: boolean): void {
    const days = (Object.keys(DAY_WORDS) as Day[]).filter((one) => (one === day ? on : span.days.includes(one)));
    onChange({ ...span, days });
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset for each row would be read with a legend of its own.
    <div class="span" role="group" aria-label={`Stretch ${number}`}>
      <span class="days">
        {(Object.entries(DAY_WORDS) as [Day, string][]).map(([day, word]) => (
          <label key={day}>
            <input
              type="checkbox"
              checked={span.days.includes(day)}
              onChange={(event) => choose(day, event.currentTarget.checked)}
            />
            {word}
          </label>
        ))}
      </span>
      <span class="times">
        {time("start", "Beginning")} to {time("until", "End")}
        <button type="button" class="quiet" onClick={onRemove}>
          Remove<span class="hidden"> stretch {number}</span>
        </button>
      </span>
    </div>
  );
}
