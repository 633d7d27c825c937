// The fields of a rule.
import { CATALOGUE, HOST_DOWN, metricOf, unitOf } from "../api/catalogue.ts";
import { fleet } from "../live/session.ts";
import { Field } from "../shell/field.tsx";
import { type Draft, type Faults, ruleOf } from "./draft.ts";

interface RuleFieldsProps {
  draft: Draft;
  /** A new rule may still choose its id. */
  fresh: boolean;
  faults: Faults;
  set: (change: Partial<Draft>) => void;
}

type Text = Exclude<keyof Draft, "enabled" | "comparison" | "metric">;

export function RuleFields({ draft, fresh, faults, set }: RuleFieldsProps) {
  const unit = unitOf(draft.metric);
  const down = draft.metric === HOST_DOWN;
  const family = metricOf(draft.metric)?.family;
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
          <input {...text("id")} placeholder={ruleOf(draft).id || "made from the name"} maxLength={40} />
        </Field>
      )}
      <Field label="Metric" error={faults.metric} hint={metricOf(draft.metric)?.metric.meaning} wide={down}>
        <select name="metric" value={draft.metric} onChange={(event) => set({ metric: event.currentTarget.value })}>
          <option value={HOST_DOWN}>Host down (no samples)</option>
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
      <Field label="Host" error={faults.host} hint="* is every host" wide={down || !family?.instance}>
        <input {...text("host")} list="hosts" />
        <datalist id="hosts">
          <option value="*" />
          {fleet.ids.value.map((id) => (
            <option key={id} value={id} />
          ))}
        </datalist>
      </Field>
      {!down && family?.instance && (
        <Field
          label={family.instance.charAt(0).toUpperCase() + family.instance.slice(1)}
          error={faults.instance}
          hint="* is each of them"
        >
          <input {...text("instance")} />
        </Field>
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
