// The form of a rule, in a dialog. It says in words what the rule will do, and shows the API's objections where they belong.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { CATALOGUE, HOST_DOWN, metricOf, unitOf } from "../api/catalogue.ts";
import { Failure, request } from "../api/client.ts";
import type { StoredRule } from "../api/types.gen.ts";
import { fleet } from "../live/session.ts";
import { base } from "../preferences.ts";
import { Field } from "../shell/field.tsx";
import { CloseIcon } from "../shell/icons.tsx";
import { type Draft, draftOf, errorsByField, FRESH, ruleOf } from "./draft.ts";
import { ruleSentence } from "./words.ts";

interface EditorProps {
  /** The rule to change; null for a new one. */
  stored: StoredRule | null;
  onDone: (saved: boolean) => void;
}

export function RuleEditor({ stored, onDone }: EditorProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const draft = useSignal<Draft>(stored ? draftOf(stored.rule) : FRESH);
  const errors = useSignal<Record<string, string>>({});
  const general = useSignal<string | null>(null);
  const busy = useSignal(false);

  useEffect(() => dialog.current?.showModal(), []);

  const set = (change: Partial<Draft>) => {
    draft.value = { ...draft.value, ...change };
  };

  async function save(event: Event): Promise<void> {
    event.preventDefault();
    errors.value = {};
    general.value = null;
    busy.value = true;
    const rule = ruleOf(draft.value);
    try {
      if (stored) await request("PUT", `/rules/${stored.rule.id}`, { body: rule, version: stored.version });
      else await request("POST", "/rules", { body: rule });
      onDone(true);
    } catch (reason) {
      if (!(reason instanceof Failure)) throw reason;
      errors.value = reason.status === 409 ? { id: reason.message } : errorsByField(reason.fields);
      const shown = Object.keys(errors.value).some((name) => name in draft.value);
      if (reason.status === 412)
        general.value = "Somebody else changed this rule meanwhile. Close this and open the rule again to see it.";
      else if (!shown) general.value = reason.message;
    } finally {
      busy.value = false;
    }
  }

  const now = draft.value;
  const unit = unitOf(now.metric);
  const down = now.metric === HOST_DOWN;
  const family = metricOf(now.metric)?.family;
  const wrong = errors.value;
  const threshold = (name: keyof Draft & `${string}_${"raise" | "clear"}`, label: string) => (
    <Field label={label} error={wrong[name]} unit={unit === "1/s" ? "/s" : unit}>
      <input
        type="number"
        step="any"
        inputMode="decimal"
        name={name}
        value={now[name]}
        placeholder={name.endsWith("clear") ? "same" : "none"}
        onInput={(event) => set({ [name]: event.currentTarget.value })}
      />
    </Field>
  );
  return (
    <dialog ref={dialog} class="editor" aria-labelledby="editor-title" onClose={() => onDone(false)}>
      <form onSubmit={(event) => void save(event)} noValidate>
        <header>
          <h2 id="editor-title">{stored ? `Rule ${stored.rule.id}` : "New rule"}</h2>
          <button type="button" class="quiet" onClick={() => dialog.current?.close()} aria-label="Close">
            <CloseIcon />
          </button>
        </header>
        <div class="fields">
          <Field label="Name" error={wrong.name} wide>
            <input
              name="name"
              value={now.name}
              maxLength={120}
              onInput={(event) => set({ name: event.currentTarget.value })}
            />
          </Field>
          {!stored && (
            <Field label="Id" error={wrong.id} hint="a-z, 0-9 and dashes" wide>
              <input
                name="id"
                value={now.id}
                placeholder={ruleOf(now).id || "made from the name"}
                maxLength={40}
                onInput={(event) => set({ id: event.currentTarget.value })}
              />
            </Field>
          )}
          <Field label="Metric" error={wrong.metric} hint={metricOf(now.metric)?.metric.meaning} wide={down}>
            <select name="metric" value={now.metric} onChange={(event) => set({ metric: event.currentTarget.value })}>
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
            <Field label="Fires when it is" error={wrong.comparison}>
              <select
                name="comparison"
                value={now.comparison}
                onChange={(event) => set({ comparison: event.currentTarget.value as Draft["comparison"] })}
              >
                <option value="above">above</option>
                <option value="below">below</option>
              </select>
            </Field>
          )}
          <Field label="Host" error={wrong.host} hint="* is every host" wide={down || !family?.instance}>
            <input
              name="host"
              value={now.host}
              list="hosts"
              onInput={(event) => set({ host: event.currentTarget.value })}
            />
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
              error={wrong.instance}
              hint="* is each of them"
            >
              <input
                name="instance"
                value={now.instance}
                onInput={(event) => set({ instance: event.currentTarget.value })}
              />
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
          {!down && (
            <Field label="Must hold for" error={wrong.for_s} unit="s">
              <input
                type="number"
                min="0"
                name="for_s"
                value={now.for_s}
                onInput={(event) => set({ for_s: event.currentTarget.value })}
              />
            </Field>
          )}
          {!down && (
            <Field label="Recovered for" error={wrong.recover_for_s} unit="s">
              <input
                type="number"
                min="0"
                name="recover_for_s"
                value={now.recover_for_s}
                onInput={(event) => set({ recover_for_s: event.currentTarget.value })}
              />
            </Field>
          )}
          <Field label="Runbook" error={wrong.runbook_url} hint="linked in every message" wide>
            <input
              type="url"
              name="runbook_url"
              value={now.runbook_url}
              placeholder="https://"
              onInput={(event) => set({ runbook_url: event.currentTarget.value })}
            />
          </Field>
          <label class="check">
            <input
              type="checkbox"
              name="enabled"
              checked={now.enabled}
              onChange={(event) => set({ enabled: event.currentTarget.checked })}
            />
            Enabled
          </label>
        </div>
        <p class="preview">{ruleSentence(ruleOf(now), base())}</p>
        {general.value && (
          <p class="notice bad" role="alert">
            {general.value}
          </p>
        )}
        <footer>
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={busy.value}>
            {stored ? "Save rule" : "Create rule"}
          </button>
        </footer>
      </form>
    </dialog>
  );
}
