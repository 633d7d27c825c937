// The fields of a rule.

import type { VNode } from "preact";
import { CATALOGUE, HOST_DOWN, instanceOf, metricOf, pathWords, unitOf, VIRTUAL, virtualOf } from "../api/catalogue.ts";
import { fleet } from "../live/session.ts";
import { Field } from "../shell/field.tsx";
import { type Draft, type Faults, idOf } from "./draft.ts";
import { OverrideFields } from "./override_fields.tsx";
import { WINDOW_WORDS, windowUnit } from "./words.ts";

interface RuleFieldsProps {
  draft: Draft;
  /** A new rule may still choose its id. */
  fresh: boolean;
  /** Ids that other rules have. */
  taken: readonly string[];
  faults: Faults;
  set: (change: Partial<Draft>) => void;
}

type Text = Exclude<
  keyof Draft,
  | "enabled"
  | "comparison"
  | "metric"
  | "kept"
  | "overrides"
  | "window_function"
  | "also_metric"
  | "also_comparison"
  | "no_data"
>;

export function RuleFields({ draft, fresh, taken, faults, set }: RuleFieldsProps) {
  const unit = windowUnit(draft.window_function, unitOf(draft.metric));
  const down = draft.metric === HOST_DOWN;
  const family = metricOf(draft.metric)?.family;
  const instance = instanceOf(draft.metric);
  const ofSonde = virtualOf(draft.metric)?.about === "sonde";
  const text = (name: Text) => ({
    name,
    value: draft[name],
    autocomplete: "off",
    spellcheck: false,
    onInput: (event: InputEvent) => set({ [name]: (event.currentTarget as HTMLInputElement).value }),
  });
  const threshold = (name: Text, label: string) => (
    <Field label={label} error={faults[name]} unit={unit === "1/s" ? "/s" : unit}>
      <input {...text(name)} inputMode="decimal" placeholder={name.endsWith("clear") ? "same" : "none"} />
    </Field>
  );
  const seconds = (name: Text, label: string) => (
    <Field label={label} error={faults[name]} unit="s">
      <input {...text(name)} inputMode="decimal" placeholder="0" />
    </Field>
  );
  return (
    <div class="fields">
      <Field label="Name" error={faults.name} wide>
        <input {...text("name")} maxLength={120} required autofocus />
      </Field>
      {fresh && (
        <Field label="Id" error={faults.id} hint="a to z, 0 to 9 and dashes; cannot be changed later" wide>
          <input {...text("id")} placeholder={idOf(draft, taken) || "made from the name"} maxLength={40} />
        </Field>
      )}
      <Field
        label="Metric"
        error={faults.metric}
        hint={virtualOf(draft.metric)?.meaning ?? metricOf(draft.metric)?.metric.meaning}
        wide={down}
      >
        <select name="metric" value={draft.metric} onChange={(event) => set({ metric: event.currentTarget.value })}>
          <optgroup label="Found by Sonde itself">
            {VIRTUAL.map((one) => (
              <option key={one.path} value={one.path}>
                {pathWords(one.path)}
              </option>
            ))}
          </optgroup>
          {CATALOGUE.map((one) => (
            <optgroup key={one.name} label={one.label}>
              {one.metrics.map((metric) => (
                <option key={metric.name} value={`${one.name}.${metric.name}`}>
                  {one.label} {metric.label}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </Field>
      {!down && (
        <Field label="Fires when it is" error={faults.comparison}>
          <select
            name="comparison"
            value={draft.comparison}
            onChange={(event) => set({ comparison: event.currentTarget.value as Draft["comparison"] })}
          >
            <option value="above">above</option>
            <option value="below">below</option>
          </select>
        </Field>
      )}
      {family && (
        <WindowFields
          draft={draft}
          faults={faults}
          set={set}
          seconds={seconds}
          limit={<input {...text("window_limit")} inputMode="decimal" />}
        />
      )}
      {!ofSonde && (
        <Field label="Host" error={faults.host} hint="* is every host, web-* each that begins so" wide={!instance}>
          <input {...text("host")} list="hosts" />
          <HostChoices />
        </Field>
      )}
      {instance && (
        <Field
          label={instance.charAt(0).toUpperCase() + instance.slice(1)}
          error={faults.instance}
          hint="* is each of them, /srv* each that begins so"
        >
          <input {...text("instance")} />
        </Field>
      )}
      {instance && (
        <Field label="But not for" error={faults.not_instances} hint="such as /boot*, separated by commas" wide>
          <input {...text("not_instances")} placeholder="none" />
        </Field>
      )}
      {!ofSonde && (
        <>
          <Field label="Only hosts with the tags" error={faults.tags} hint="all of them, separated by commas">
            <input {...text("tags")} placeholder="any" />
          </Field>
          <Field label="But not with" error={faults.without_tags} hint="any of these">
            <input {...text("without_tags")} placeholder="none" />
          </Field>
        </>
      )}
      <fieldset class="pair">
        <legend class="tone-warning">Warning</legend>
        {threshold("warning_raise", "Raise at")}
        {!down && threshold("warning_clear", "Clear at")}
      </fieldset>
      <fieldset class="pair">
        <legend class="tone-critical">Critical</legend>
        {threshold("critical_raise", "Raise at")}
        {!down && threshold("critical_clear", "Clear at")}
      </fieldset>
      {!down && seconds("for_s", "Must hold for")}
      {!down && seconds("recover_for_s", "Recovered for")}
      {family && <AlsoFields draft={draft} faults={faults} set={set} value={text("also_value")} />}
      {family && (
        <>
          <Field label="When no values come" error={faults.no_data}>
            <select
              name="no_data"
              value={draft.no_data}
              onChange={(event) => set({ no_data: event.currentTarget.value as Draft["no_data"] })}
            >
              <option value="keep">leave the alert as it is</option>
              <option value="alert">fire</option>
              <option value="ok">resolve</option>
            </select>
          </Field>
          {draft.no_data !== "keep" && seconds("no_data_s", "After")}
        </>
      )}
      {!ofSonde && (
        <OverrideFields
          overrides={draft.overrides}
          faults={faults}
          unit={unit}
          down={down}
          onChange={(overrides) => set({ overrides })}
        />
      )}
      <Field label="Runbook" error={faults.runbook_url} hint="linked in every message" wide>
        <input {...text("runbook_url")} inputMode="url" placeholder="https://" />
      </Field>
      <label class="check">
        <input
          type="checkbox"
          name="enabled"
          checked={draft.enabled}
          onChange={(event) => set({ enabled: event.currentTarget.checked })}
        />
        Enabled
      </label>
    </div>
  );
}

/** Apart from the other fields: there may be thousands, and they move with none of them. */
function HostChoices() {
  return (
    <datalist id="hosts">
      <option value="*" />
      {fleet.ids.value.map((id) => (
        <option key={id} value={id} />
      ))}
    </datalist>
  );
}

interface PartProps {
  draft: Draft;
  faults: Faults;
  set: (change: Partial<Draft>) => void;
}

/** What of the last values is held against the thresholds. */
function WindowFields({
  draft,
  faults,
  set,
  seconds,
  limit,
}: PartProps & { seconds: (name: Text, label: string) => VNode; limit: VNode }) {
  return (
    <>
      <Field label="Looks at" error={faults.window_function} wide={draft.window_function === "last"}>
        <select
          name="window_function"
          value={draft.window_function}
          onChange={(event) => set({ window_function: event.currentTarget.value as Draft["window_function"] })}
        >
          {Object.entries(WINDOW_WORDS).map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
      </Field>
      {draft.window_function !== "last" && seconds("window_seconds", "Over the last")}
      {draft.window_function === "time_left" && (
        <Field
          label="It is full at"
          error={faults.window_limit}
          unit={unitOf(draft.metric)}
          hint="empty: the most that there can be"
          wide
        >
          {limit}
        </Field>
      )}
    </>
  );
}

/** A second condition on another metric of the same family. */
function AlsoFields({ draft, faults, set, value }: PartProps & { value: object }) {
  const family = metricOf(draft.metric)?.family;
  const others = family?.metrics.filter((one) => `${family.name}.${one.name}` !== draft.metric) ?? [];
  if (!family || others.length === 0) return null;
  return (
    <fieldset class="pair wide-field">
      <legend>And only while</legend>
      <Field label="Also" error={faults.also_metric}>
        <select
          name="also_metric"
          value={draft.also_metric}
          onChange={(event) => set({ also_metric: event.currentTarget.value })}
        >
          <option value="">nothing else has to hold</option>
          {others.map((one) => (
            <option key={one.name} value={`${family.name}.${one.name}`}>
              {family.label} {one.label}
            </option>
          ))}
        </select>
      </Field>
      {draft.also_metric !== "" && (
        <Field label="Is" error={faults.also_value} unit={unitOf(draft.also_metric)}>
          <input {...value} inputMode="decimal" />
          <select
            aria-label="Is above or below"
            value={draft.also_comparison}
            onChange={(event) => set({ also_comparison: event.currentTarget.value as Draft["also_comparison"] })}
          >
            <option value="below">or below</option>
            <option value="above">or above</option>
          </select>
        </Field>
      )}
    </fieldset>
  );
}
