// The exceptions to a rule: hosts for which something of it is different. The first that fits a host is taken.
import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import { Field } from "../shell/field.tsx";
import type { Faults } from "./draft.ts";
import { NEW_OVERRIDE, type OverrideDraft } from "./override_draft.ts";

interface OverrideFieldsProps {
  overrides: readonly OverrideDraft[];
  faults: Faults;
  unit: string;
  /** Thresholds are seconds of silence. */
  down: boolean;
  onChange: (overrides: OverrideDraft[]) => void;
}

/** As many as a rule may have. */
const MOST = 100;

export function OverrideFields({ overrides, faults, unit, down, onChange }: OverrideFieldsProps) {
  const add = useRef<HTMLButtonElement>(null);
  return (
    <div class="wide-field exceptions">
      {overrides.map((one, index) => (
        <Exception
          key={index}
          draft={one}
          index={index}
          faults={faults}
          unit={unit}
          down={down}
          set={(change) => onChange(overrides.map((each, at) => (at === index ? { ...each, ...change } : each)))}
          onEarlier={() => {
            const order = overrides.filter((_, at) => at !== index);
            order.splice(index - 1, 0, one);
            onChange(order);
          }}
          onRemove={() => {
            onChange(overrides.filter((_, at) => at !== index));
            add.current?.focus();
          }}
        />
      ))}
      {overrides.length < MOST && (
        <button ref={add} type="button" onClick={() => onChange([...overrides, NEW_OVERRIDE])}>
          Add an exception for some hosts
        </button>
      )}
    </div>
  );
}

interface ExceptionProps extends Omit<OverrideFieldsProps, "overrides" | "onChange"> {
  draft: OverrideDraft;
  index: number;
  set: (change: Partial<OverrideDraft>) => void;
  onEarlier: () => void;
  onRemove: () => void;
}

function Exception({ draft, index, faults, unit, down, set, onEarlier, onRemove }: ExceptionProps) {
  const text = (
    name: Exclude<keyof OverrideDraft, "enabled">,
    label: string,
    more: { hint?: string; unit?: string; placeholder?: string },
  ): VNode => (
    <Field label={label} error={faults[`overrides.${index}.${name}`]} hint={more.hint} unit={more.unit}>
      <input
        name={`${name}-${index}`}
        value={draft[name]}
        autocomplete="off"
        spellcheck={false}
        inputMode={name === "hosts" || name === "tags" ? undefined : "decimal"}
        placeholder={more.placeholder ?? "as the rule"}
        onInput={(event) => set({ [name]: event.currentTarget.value })}
      />
    </Field>
  );
  const limit = { unit: unit === "1/s" ? "/s" : unit };
  return (
    <fieldset class="pair">
      <legend>Exception {index + 1}</legend>
      {text("hosts", "For the hosts", { hint: "their ids; web-* is each that begins so", placeholder: "any" })}
      {text("tags", "With the tags", { hint: "all of them", placeholder: "any" })}
      {text("warning_raise", "Warning at", limit)}
      {!down && text("warning_clear", "Warning ends at", { ...limit, placeholder: "same" })}
      {text("critical_raise", "Critical at", limit)}
      {!down && text("critical_clear", "Critical ends at", { ...limit, placeholder: "same" })}
      {!down && text("for_s", "Must hold for", { unit: "s" })}
      {!down && text("recover_for_s", "Recovered for", { unit: "s" })}
      <Field label="The rule is" error={faults[`overrides.${index}.enabled`]}>
        <select
          name={`enabled-${index}`}
          value={draft.enabled}
          onChange={(event) => set({ enabled: event.currentTarget.value as OverrideDraft["enabled"] })}
        >
          <option value="as">on or off, as for the others</option>
          <option value="on">on for them</option>
          <option value="off">off for them</option>
        </select>
      </Field>
      <div class="row-actions end">
        {index > 0 && (
          <button type="button" class="quiet" onClick={onEarlier}>
            Move up<span class="hidden"> exception {index + 1}</span>
          </button>
        )}
        <button type="button" class="quiet" onClick={onRemove}>
          Remove<span class="hidden"> exception {index + 1}</span>
        </button>
      </div>
    </fieldset>
  );
}
