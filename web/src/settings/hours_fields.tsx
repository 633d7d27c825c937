// The hours of the week in which a route tells people, or in which it waits.
import { DAY_WORDS, type Day } from "../alerts/telling.ts";
import type { Span } from "../api/types.gen.ts";
import { Field } from "../shell/field.tsx";
import "../style/telling.css";
import { DAYTIME, type Draft, NIGHT } from "./route_draft.ts";

interface HoursFieldsProps {
  draft: Draft;
  errors: Readonly<Record<string, string>>;
  set: (change: Partial<Draft>) => void;
}

/** As many as a route may have. */
const MOST_SPANS = 20;

export function HoursFields({ draft, errors, set }: HoursFieldsProps) {
  const usual = draft.hours === "quiet" ? NIGHT : DAYTIME;
  const replace = (at: number, span: Span) =>
    set({ spans: draft.spans.map((one, index) => (index === at ? span : one)) });
  function choose(hours: Draft["hours"]): void {
    const untouched = draft.spans.every((span) => span === NIGHT || span === DAYTIME);
    const spans = hours === "always" ? draft.spans : untouched ? [hours === "quiet" ? NIGHT : DAYTIME] : draft.spans;
    set({ hours, spans });
  }
  return (
    <>
      <Field label="When people are told" hint={HINTS[draft.hours]} wide>
        <select
          name="hours"
          value={draft.hours}
          onChange={(event) => choose(event.currentTarget.value as Draft["hours"])}
        >
          <option value="always">always</option>
          <option value="working">only in working hours</option>
          <option value="quiet">not in quiet hours</option>
        </select>
      </Field>
      {draft.hours !== "always" && (
        <>
          <fieldset class="spans wide-field">
            <legend>{draft.hours === "quiet" ? "Quiet hours" : "Working hours"}</legend>
            {draft.spans.map((span, index) => (
              <SpanRow
                key={index}
                span={span}
                number={index + 1}
                wrong={index === 0 && errors["hours.spans"] !== undefined}
                onChange={(next) => replace(index, next)}
                onRemove={() => set({ spans: draft.spans.filter((_, at) => at !== index) })}
              />
            ))}
            {errors["hours.spans"] && <p class="error">{errors["hours.spans"]}</p>}
            {draft.spans.length < MOST_SPANS && (
              <button type="button" onClick={() => set({ spans: [...draft.spans, usual] })}>
                Add a stretch
              </button>
            )}
          </fieldset>
          <Field label="Time zone" error={errors["hours.zone"]} hint="such as Europe/Berlin">
            <input
              name="zone"
              list="zones"
              autocomplete="off"
              spellcheck={false}
              value={draft.zone}
              onInput={(event) => set({ zone: event.currentTarget.value })}
            />
            <datalist id="zones">
              {Intl.supportedValuesOf("timeZone").map((zone) => (
                <option key={zone} value={zone} />
              ))}
            </datalist>
          </Field>
          <label class="check">
            <input
              type="checkbox"
              name="critical_passes"
              checked={draft.critical_passes}
              onChange={(event) => set({ critical_passes: event.currentTarget.checked })}
            />
            What is critical is told always
          </label>
        </>
      )}
    </>
  );
}

const HINTS: Record<Draft["hours"], string | undefined> = {
  always: undefined,
  working: "The rest waits, and is told in one message when they begin",
  quiet: "What fires then waits, and is told in one message at their end",
};

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
