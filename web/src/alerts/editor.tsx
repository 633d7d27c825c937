// The dialog in which a rule is written. It says in words what the rule will do, tells everything wrong at once and where,
// and asks before it throws away what was typed.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Failure, get, reasonOf, request } from "../api/client.ts";
import type { StoredRule } from "../api/types.gen.ts";
import { base } from "../preferences.ts";
import { Conflict } from "../shell/conflict.tsx";
import { CloseIcon } from "../shell/icons.tsx";
import { useUnsaved } from "../shell/unsaved.tsx";
import { type Draft, draftOf, errorsByField, type Faults, FRESH, faultsOf, ruleOf } from "./draft.ts";
import { RuleFields } from "./fields.tsx";
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
  /** What the gateway objected to, by field, until the field is changed. */
  const refused = useSignal<Faults>({});
  const general = useSignal<string | null>(null);
  const theirs = useSignal<StoredRule | null>(null);
  /** Saves that failed. From the first one on, what is wrong is told while it is typed. */
  const failures = useSignal(0);
  const busy = useSignal(false);
  const discarding = useSignal(false);

  const dirty = JSON.stringify(draft.value) !== JSON.stringify(before.value);
  const faults = failures.value > 0 ? { ...refused.value, ...faultsOf(draft.value) } : {};
  useUnsaved(stored ? `the rule “${stored.rule.name}”` : "the new rule", dirty);

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    if (failures.value > 0) dialog.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [failures.value]);

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
    const kept = Object.entries(refused.value).filter(([name]) => !(name in change));
    refused.value = Object.fromEntries(kept);
  }

  async function save(expected: number | undefined): Promise<void> {
    if (busy.value) return;
    refused.value = {};
    general.value = null;
    theirs.value = null;
    if (Object.keys(faultsOf(draft.value)).length > 0) {
      failures.value += 1;
      return;
    }
    busy.value = true;
    const rule = ruleOf(draft.value);
    try {
      if (stored) await request("PUT", `/rules/${rule.id}`, { body: rule, version: expected ?? 0 });
      else await request("POST", "/rules", { body: rule });
      close("saved");
    } catch (reason) {
      if (!(reason instanceof Failure)) throw reason;
      await explain(reason);
      failures.value += 1;
    } finally {
      busy.value = false;
    }
  }
  async function explain(failure: Failure): Promise<void> {
    refused.value =
      failure.status === 409 ? { id: "Choose another id: a rule has this one." } : errorsByField(failure.fields);
    if (failure.status === 404) general.value = "Somebody deleted this rule meanwhile, so it cannot be saved.";
    else if (failure.status === 412) await get<StoredRule>(`/rules/${stored?.rule.id}`).then(conflict, refusedAgain);
    else if (!Object.keys(refused.value).some((name) => name in draft.value)) general.value = failure.message;
  }
  const conflict = (found: StoredRule) => {
    theirs.value = found;
  };
  const refusedAgain = (reason: unknown) => {
    general.value = reasonOf(reason);
  };

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
          void save(version.value);
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
        {general.value && (
          <p class="notice bad" role="alert">
            {general.value}
          </p>
        )}
        {theirs.value && (
          <Conflict
            onTake={() => {
              const { rule, version: latest } = theirs.value as StoredRule;
              before.value = draftOf(rule);
              draft.value = before.value;
              version.value = latest;
              theirs.value = null;
              field.current?.focus();
            }}
            onOverwrite={() => {
              version.value = theirs.value?.version;
              field.current?.focus();
              void save(version.value);
            }}
          >
            {`Somebody changed this rule meanwhile: ${ruleSentence(theirs.value.rule, base())}`}
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
              {busy.value ? "Saving …" : stored ? "Save rule" : "Create rule"}
            </button>
          </footer>
        )}
      </form>
    </dialog>
  );
}

/** Whether the mouse is over the backdrop, which counts as the dialog. */
function isOutside(event: MouseEvent, dialog: HTMLElement): boolean {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return event.clientX < left || event.clientX > right || event.clientY < top || event.clientY > bottom;
}

function Discard({ onKeep, onDiscard }: { onKeep: () => void; onDiscard: () => void }) {
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), []);
  return (
    <div class="notice warn" role="alert">
      <p>Discard what you typed?</p>
      <div>
        <button ref={keep} type="button" onClick={onKeep}>
          Keep editing
        </button>
        <button type="button" class="danger" onClick={onDiscard}>
          Discard
        </button>
      </div>
    </div>
  );
}
