// The fields that say which alerts are meant: of a route, or of a silence.
import type { FieldError } from "../api/types.gen.ts";
import { Field } from "../shell/field.tsx";
import type { MatchDraft } from "./matching.ts";

interface MatchFieldsProps {
  draft: MatchDraft;
  /** By the gateway's names: `match.hosts`. */
  errors: Readonly<Record<FieldError["field"], string>>;
  set: (change: Partial<MatchDraft>) => void;
}

type Text = "hosts" | "tags" | "without_tags" | "rules" | "instances";

export const MATCH_FIELDS = ["hosts", "tags", "without_tags", "rules", "instances", "severity", "about"].map(
  (name) => `match.${name}`,
);

export function MatchFields({ draft, errors, set }: MatchFieldsProps) {
  const field = (name: Text, label: string, hint: string, placeholder: string, wide = false) => (
    <Field label={label} error={errors[`match.${name}`]} hint={hint} wide={wide}>
      <input
        name={name}
        value={draft[name]}
        autocomplete="off"
        spellcheck={false}
        placeholder={placeholder}
        onInput={(event) => set({ [name]: event.currentTarget.value })}
      />
    </Field>
  );
  const ofSonde = draft.about === "sonde";
  return (
    <>
      <Field label="Alerts" error={errors["match.about"]}>
        <select
          name="about"
          value={draft.about}
          onChange={(event) => {
            const about = event.currentTarget.value as MatchDraft["about"];
            set(about === "sonde" ? { about, hosts: "", tags: "", without_tags: "" } : { about });
          }}
        >
          <option value="all">all</option>
          <option value="hosts">about hosts only</option>
          <option value="sonde">about Sonde itself only</option>
        </select>
      </Field>
      <Field label="Severity" error={errors["match.severity"]}>
        <select
          name="severity"
          value={draft.severity}
          onChange={(event) => set({ severity: event.currentTarget.value as MatchDraft["severity"] })}
        >
          <option value="any">any</option>
          <option value="warning">warning</option>
          <option value="critical">critical</option>
        </select>
      </Field>
      {field("rules", "Rules", "their ids; disk-* is each that begins so", "all")}
      {field("instances", "Instances", "such as /srv or eth*, separated by commas", "all")}
      {!ofSonde && (
        <>
          {field("hosts", "Hosts", "their ids; web-* is each that begins so", "all", true)}
          {field("tags", "With the tags", "all of them", "any")}
          {field("without_tags", "But not with", "any of these", "none")}
        </>
      )}
    </>
  );
}
