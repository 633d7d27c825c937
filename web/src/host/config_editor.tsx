// The form for what the agent of one host samples and sends. What is left empty is as the fleet's settings say.
import { CATALOGUE } from "../api/catalogue.ts";
import type { AgentConfigAnswer } from "../api/types.gen.ts";
import { useEditing } from "../shell/editing.ts";
import { EditorDialog } from "../shell/editor_dialog.tsx";
import { Field } from "../shell/field.tsx";
import { bodyOf, type ConfigDraft, draftOf, type FamilyDraft, faultsOf, type Switch } from "./config_draft.ts";

interface ConfigEditorProps {
  host: string;
  answer: AgentConfigAnswer;
  onClosed: (saved: boolean) => void;
}

export function ConfigEditor({ host, answer, onClosed }: ConfigEditorProps) {
  const editing = useEditing<AgentConfigAnswer, ConfigDraft>({
    what: "setting",
    stored: answer,
    fresh: draftOf(answer),
    draftOf,
    collection: `/hosts/${encodeURIComponent(host)}`,
    idOf: () => "config",
    bodyOf,
    faultsOf,
  });
  const { draft, errors, set } = editing;
  const setFamily = (name: string, change: Partial<FamilyDraft>) =>
    set({ families: { ...draft.families, [name]: { ...(draft.families[name] as FamilyDraft), ...change } } });
  return (
    <EditorDialog
      title={`What ${host} samples and sends`}
      what={`the settings of ${host}`}
      dirty={editing.dirty}
      busy={editing.busy}
      submit="Save"
      general={editing.refusal}
      failures={editing.failures}
      theirs={editing.theirs && "Somebody changed these settings meanwhile."}
      onSave={editing.save}
      onTake={editing.take}
      onOverwrite={editing.overwrite}
      onClosed={onClosed}
    >
      <div class="fields">
        <Field
          label="A sample every"
          unit="s"
          error={errors.sample_interval_s}
          hint="Empty: as the fleet’s settings say"
        >
          <input
            inputMode="decimal"
            value={draft.sample_interval_s}
            onInput={(event) => set({ sample_interval_s: event.currentTarget.value })}
          />
        </Field>
        <Field label="A batch every" unit="s" error={errors.batch_interval_s}>
          <input
            inputMode="decimal"
            value={draft.batch_interval_s}
            onInput={(event) => set({ batch_interval_s: event.currentTarget.value })}
          />
        </Field>
        <label class="check wide-field">
          <input
            type="checkbox"
            checked={draft.own_directories}
            onChange={(event) => set({ own_directories: event.currentTarget.checked })}
          />
          This host has its own list of directories
        </label>
        {draft.own_directories && (
          <Field label="Directories" error={errors.directories} hint="One per line" wide>
            <textarea
              rows={3}
              spellcheck={false}
              value={draft.directories}
              onInput={(event) => set({ directories: event.currentTarget.value })}
            />
          </Field>
        )}
      </div>
      {CATALOGUE.map((family) => (
        <FamilyFields
          key={family.name}
          name={family.name}
          label={family.label}
          selects={family.instance !== "" && family.name !== "directory" ? family.instance : ""}
          draft={draft.families[family.name] as FamilyDraft}
          errors={errors}
          set={(change) => setFamily(family.name, change)}
        />
      ))}
    </EditorDialog>
  );
}

interface FamilyFieldsProps {
  name: string;
  label: string;
  /** What there are several of, to choose from; empty: nothing. */
  selects: string;
  draft: FamilyDraft;
  errors: Readonly<Record<string, string>>;
  set: (change: Partial<FamilyDraft>) => void;
}

function FamilyFields({ name, label, selects, draft, errors, set }: FamilyFieldsProps) {
  const error = (field: string) => errors[`families.${name}.${field}`];
  const changed = Object.values(draft).some(Boolean);
  return (
    <details class="more-fields" open={changed}>
      <summary>{label}</summary>
      <div class="fields">
        <Field label="Sampled" error={error("enabled")}>
          <select value={draft.enabled} onChange={(event) => set({ enabled: event.currentTarget.value as Switch })}>
            <option value="">As the fleet’s settings say</option>
            <option value="on">Yes</option>
            <option value="off">No</option>
          </select>
        </Field>
        <Field label="Every" unit="s" error={error("interval_s")}>
          <input
            inputMode="decimal"
            value={draft.interval_s}
            onInput={(event) => set({ interval_s: event.currentTarget.value })}
          />
        </Field>
        {selects && (
          <>
            <Field
              label={`Only these (${selects})`}
              error={error("include")}
              hint="Patterns such as eth*, with spaces between"
            >
              <input
                spellcheck={false}
                value={draft.include}
                onInput={(event) => set({ include: event.currentTarget.value })}
              />
            </Field>
            <Field label="Not these" error={error("exclude")}>
              <input
                spellcheck={false}
                value={draft.exclude}
                onInput={(event) => set({ exclude: event.currentTarget.value })}
              />
            </Field>
          </>
        )}
      </div>
    </details>
  );
}
