// The dialog around a form: it asks before it throws away what was typed, and leaves to the person what happens when
// somebody else saved first.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { Conflict } from "./conflict.tsx";
import { Discard, isOutside } from "./discard.tsx";
import { CloseIcon } from "./icons.tsx";
import { useUnsaved } from "./unsaved.tsx";

interface EditorDialogProps {
  title: string;
  /** What would be lost: `the rule “Disk full”`. */
  what: string;
  /** It has a chart in it. */
  wide?: boolean;
  dirty: boolean;
  busy: boolean;
  /** The words of the button that saves. */
  submit: string;
  /** What is wrong with no field in particular. */
  general: string | null;
  /** Saves that failed so far: with each the focus goes to the first field that is wrong. */
  failures: number;
  /** What somebody else made of it meanwhile, in words; null: nothing. */
  theirs: string | null;
  /** Whether it was saved; the dialog closes then. */
  onSave: () => Promise<boolean>;
  onTake: () => void;
  onOverwrite: () => Promise<boolean>;
  /** The dialog is closed, and the focus is back where it was before. */
  onClosed: (saved: boolean) => void;
  children: ComponentChildren;
}

export function EditorDialog(properties: EditorDialogProps) {
  const { title, what, dirty, busy, submit, general, failures, theirs, onSave, onTake, onOverwrite, onClosed } =
    properties;
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  /** The field that had the focus last. */
  const field = useRef<HTMLElement | null>(null);
  /** Why the dialog may close: null while it may not without asking. */
  const outcome = useRef<"saved" | "discarded" | null>(null);
  const discarding = useSignal(false);
  useUnsaved(what, dirty);

  // Before the next key: what is typed right after the button was pressed belongs into the first field.
  useLayoutEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    if (failures > 0) dialog.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [failures]);

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
  async function save(act: () => Promise<boolean>): Promise<void> {
    if (await act()) close("saved");
  }
  return (
    <dialog
      ref={dialog}
      class={properties.wide ? "editor wide-editor" : "editor"}
      aria-labelledby={id}
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
          void save(onSave);
        }}
        onFocusIn={({ target }) => {
          if (target instanceof HTMLElement && target.matches("input, select, textarea")) field.current = target;
        }}
      >
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" class="quiet" onClick={leave} aria-label="Close">
            <CloseIcon />
          </button>
        </header>
        {properties.children}
        {general && (
          <p class="notice bad" role="alert">
            {general}
          </p>
        )}
        {theirs && (
          <Conflict
            onTake={() => {
              onTake();
              field.current?.focus();
            }}
            onOverwrite={() => {
              field.current?.focus();
              void save(onOverwrite);
            }}
          >
            {theirs}
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
              {busy ? "Saving …" : submit}
            </button>
          </footer>
        )}
      </form>
    </dialog>
  );
}
