// The dialog in which a rule is written. It says in words what the rule will do, tells everything wrong at once and where,
// and asks before it throws away what was typed.
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { StoredRule } from "../api/types.gen.ts";
import { base } from "../preferences.ts";
import { Conflict } from "../shell/conflict.tsx";
import { Discard, isOutside } from "../shell/discard.tsx";
import { CloseIcon } from "../shell/icons.tsx";
import { useUnsaved } from "../shell/unsaved.tsx";
import { type Draft, draftOf, FRESH, faultsOf, ruleOf } from "./draft.ts";
import { RuleFields } from "./fields.tsx";
import { useSaving } from "./saving.ts";
import { ruleSentence } from "./words.ts";

interface EditorProps {
  /** The rule to change; null for a new one. */
  stored: StoredRule | null;
  /** The dialog is closed, and the focus is back where it was before. */
  onClosed: (saved: boolean) => void;
}

export function RuleEditor({ stored, onClosed }: EditorProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  /** The field that had the focus last. */
  const field = useRef<HTMLElement | null>(null);
  /** Why the dialog may close: null while it may not without asking. */
  const outcome = useRef<"saved" | "discarded" | null>(null);
  const before = useSignal<Draft>(stored ? draftOf(stored.rule) : FRESH);
  const draft = useSignal<Draft>(before.value);
  /** The version that a save must still find. */
  const version = useSignal(stored?.version);
  const discarding = useSignal(false);
  const { save, forget, settle, ...saving } = useSaving(() => close("saved"));

  const dirty = JSON.stringify(draft.value) !== JSON.stringify(before.value);
  // From the first failed save on, what is wrong is told while it is typed.
  const faults = saving.failures > 0 ? { ...saving.refused, ...faultsOf(draft.value) } : {};
  useUnsaved(stored ? `the rule “${stored.rule.name}”` : "the new rule", dirty);

  // Before the next key: what is typed right after the button was pressed belongs into the first field.
  useLayoutEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    if (saving.failures > 0) dialog.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [saving.failures]);

  function close(why: "saved" | "discarded"): void {
    outcome.current = why;
    dialog.current?.close();
  }
  function leave(): void {
    if (dirty) discarding.value = true;
    else close("discarded");
  }
  function stay(): void {
    discarding.value = false;
    field.current?.focus();
  }
  function set(change: Partial<Draft>): void {
    draft.value = { ...draft.value, ...change };
    forget(change);
  }
  function take(theirs: StoredRule): void {
    before.value = draftOf(theirs.rule);
    draft.value = before.value;
    version.value = theirs.version;
    settle();
    field.current?.focus();
  }
  function overwrite(theirs: StoredRule): void {
    version.value = theirs.version;
    field.current?.focus();
    void save(draft.value, theirs.version);
  }

  return (
    <dialog
      ref={dialog}
      class="editor"
      aria-labelledby="editor-title"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        if (discarding.value) stay();
        else leave();
      }}
      onCancel={(event) => {
        event.preventDefault();
        leave();
      }}
      onClose={() => {
        if (outcome.current === null && dirty) {
          // Browsers close a dialog without asking when its user insists.
          dialog.current?.showModal();
          discarding.value = true;
        } else onClosed(outcome.current === "saved");
      }}
      onMouseDown={(event) => {
        if (dialog.current && event.target === dialog.current && isOutside(event, dialog.current)) {
          event.preventDefault();
          leave();
        }
      }}
    >
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save(draft.value, version.value);
        }}
        onFocusIn={({ target }) => {
          if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) field.current = target;
        }}
      >
        <header>
          <h2 id="editor-title">{stored ? `Rule ${stored.rule.id}` : "New rule"}</h2>
          <button type="button" class="quiet" onClick={leave} aria-label="Close">
            <CloseIcon />
          </button>
        </header>
        <RuleFields draft={draft.value} fresh={!stored} faults={faults} set={set} />
        <p class="preview">{ruleSentence(ruleOf(draft.value), base())}</p>
        {saving.general && (
          <p class="notice bad" role="alert">
            {saving.general}
          </p>
        )}
        {saving.theirs && (
          <Conflict
            onTake={() => take(saving.theirs as StoredRule)}
            onOverwrite={() => overwrite(saving.theirs as StoredRule)}
          >
            {`Somebody changed this rule meanwhile: ${ruleSentence(saving.theirs.rule, base())}`}
          </Conflict>
        )}
        {discarding.value ? (
          <Discard onKeep={stay} onDiscard={() => close("discarded")} />
        ) : (
          <footer>
            <button type="button" onClick={leave}>
              Cancel
            </button>
            <button type="submit" class="primary">
              {saving.busy ? "Saving …" : stored ? "Save rule" : "Create rule"}
            </button>
          </footer>
        )}
      </form>
    </dialog>
  );
}
