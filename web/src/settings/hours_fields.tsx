// The hours of the week in which a route tells people, or in which it waits.
import { Field } from "../shell/field.tsx";
import "../style/telling.css";
import { DAYTIME, type Draft, NIGHT } from "./route_draft.ts";
import { SpanRows } from "./span_rows.tsx";
import { WeekGrid } from "./week_grid.tsx";

interface HoursFieldsProps {
  draft: Draft;
  errors: Readonly<Record<string, string>>;
  set: (change: Partial<Draft>) => void;
}

export function HoursFields({ draft, errors, set }: HoursFieldsProps) {
  const usual = draft.hours === "quiet" ? NIGHT : DAYTIME;
  const hoursName = draft.hours === "quiet" ? "Quiet hours" : "Working hours";
  const wrong = errors["hours.spans"];
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
          <fieldset class="spans wide-field" aria-describedby={wrong ? "hours-wrong" : undefined}>
            <legend>{hoursName}</legend>
            <WeekGrid label={hoursName} spans={draft.spans} onChange={(spans) => set({ spans })} />
            {wrong && (
              <p class="error" id="hours-wrong">
                {wrong}
              </p>
            )}
            <details open={wrong !== undefined}>
              <summary>To the minute</summary>
              <SpanRows
                spans={draft.spans}
                usual={usual}
                wrong={wrong !== undefined}
                onChange={(spans) => set({ spans })}
              />
            </details>
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
