// What of a route's news is told in one message, and what is a storm.
import { useMemo } from "preact/hooks";
import type { Route } from "../api/types.gen.ts";
import { Field } from "../shell/field.tsx";
import { type Draft, isGroupedAsUsual } from "./route_draft.ts";

interface GroupingFieldsProps {
  draft: Draft;
  errors: Readonly<Record<string, string>>;
  set: (change: Partial<Draft>) => void;
}

export const GROUPING_FIELDS = ["group_by", "group_wait_s", "group_interval_s", "storm_hosts"] as const;

const GROUPS: Record<Route["group_by"], string> = {
  host: "of one host",
  rule: "of one rule",
  "host and rule": "of one host and rule",
  all: "all of this route",
};

export function GroupingFields({ draft, errors, set }: GroupingFieldsProps) {
  const unusual = useMemo(() => !isGroupedAsUsual(draft.kept), [draft.kept]);
  const wrong = GROUPING_FIELDS.some((name) => errors[name]);
  const number = (name: "group_wait_s" | "group_interval_s" | "storm_hosts") => (
    <input
      name={name}
      inputMode="decimal"
      autocomplete="off"
      value={draft[name]}
      onInput={(event) => set({ [name]: event.currentTarget.value })}
    />
  );
  return (
    <details class="wide-field more-fields" open={unusual || wrong}>
      <summary>What is told in one message</summary>
      <div class="fields">
        <Field label="One message for what is" error={errors.group_by} wide>
          <select
            name="group_by"
            value={draft.group_by}
            onChange={(event) => set({ group_by: event.currentTarget.value as Route["group_by"] })}
          >
            {Object.entries(GROUPS).map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </Field>
        <Field
          label="The first waits for more"
          error={errors.group_wait_s}
          hint="what fires meanwhile is in the same message"
          unit="s"
        >
          {number("group_wait_s")}
        </Field>
        <Field
          label="Further messages wait"
          error={errors.group_interval_s}
          hint="unless they are graver than what was told"
          unit="s"
        >
          {number("group_interval_s")}
        </Field>
        <Field
          label="A storm is more than"
          error={errors.storm_hosts}
          hint="with news at once: one message tells of all"
          unit="hosts"
        >
          {number("storm_hosts")}
        </Field>
        <label class="check">
          <input
            type="checkbox"
            name="tell_past"
            checked={draft.tell_past}
            onChange={(event) => set({ tell_past: event.currentTarget.checked })}
          />
          Tell of alerts found in late samples
        </label>
      </div>
    </details>
  );
}
