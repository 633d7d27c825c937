// The dialog in which a rule is written. It says in words what the rule will do, and tells everything wrong at once and where.
import { useSignal } from "@preact/signals";
import type { StoredRule } from "../api/types.gen.ts";
import { base } from "../preferences.ts";
import { EditorDialog } from "../shell/editor_dialog.tsx";
import { type Draft, draftOf, FRESH, faultsOf, ruleOf } from "./draft.ts";
import { RuleFields } from "./fields.tsx";
import { Rehearsing } from "./rehearsing.tsx";
import { useSaving } from "./saving.ts";
import { ruleSentence } from "./words.ts";

interface EditorProps {
  /** The rule to change; null for a new one. */
  stored: StoredRule | null;
  /** The dialog is closed, and the focus is back where it was before. */
  onClosed: (saved: boolean) => void;
}

export function RuleEditor({ stored, onClosed }: EditorProps) {
  const before = useSignal<Draft>(stored ? draftOf(stored.rule) : FRESH);
  const draft = useSignal<Draft>(before.value);
  /** The version that a save must still find. */
  const version = useSignal(stored?.version);
  const { save, forget, settle, theirs, ...saving } = useSaving();

  // From the first failed save on, what is wrong is told while it is typed.
  const faults = saving.failures > 0 ? { ...saving.refused, ...faultsOf(draft.value) } : {};

  function set(change: Partial<Draft>): void {
    draft.value = { ...draft.value, ...change };
    forget(change);
  }
  function take(): void {
    if (!theirs) return;
    before.value = draftOf(theirs.rule);
    draft.value = before.value;
    version.value = theirs.version;
    settle();
  }
  function overwrite(): Promise<boolean> {
    version.value = theirs?.version;
    return save(draft.value, version.value);
  }
  return (
    <EditorDialog
      title={stored ? `Rule ${stored.rule.id}` : "New rule"}
      what={stored ? `the rule “${stored.rule.name}”` : "the new rule"}
      dirty={JSON.stringify(draft.value) !== JSON.stringify(before.value)}
      busy={saving.busy}
      submit={stored ? "Save rule" : "Create rule"}
      general={saving.general}
      failures={saving.failures}
      theirs={theirs && `Somebody changed this rule meanwhile: ${ruleSentence(theirs.rule, base())}`}
      onSave={() => save(draft.value, version.value)}
      onTake={take}
      onOverwrite={overwrite}
      onClosed={onClosed}
    >
      <RuleFields draft={draft.value} fresh={!stored} faults={faults} set={set} />
      <p class="preview">{ruleSentence(ruleOf(draft.value), base())}</p>
      <Rehearsing
        rule={ruleOf(draft.value)}
        check={() => saving.check({ ...draft.value, name: draft.value.name || "draft" })}
      />
    </EditorDialog>
  );
}
