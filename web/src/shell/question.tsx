// A question before something that cannot be taken back. The harmless answer has the focus; a failure is told in place.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { reasonOf } from "../api/client.ts";

interface QuestionProps {
  title: string;
  /** What happens then. */
  children: ComponentChildren;
  /** The words of the button that does it. */
  yes: string;
  /** It can be taken back: the first field has the focus, and the button no warning colour. */
  harmless?: boolean;
  act: () => Promise<unknown>;
  /** The dialog is closed; whether it was done. */
  onClosed: (done: boolean) => void;
}

export function Question({ title, children, yes, harmless = false, act, onClosed }: QuestionProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const busy = useSignal(false);
  const error = useSignal<string | null>(null);
  const done = useRef(false);
  useLayoutEffect(() => dialog.current?.showModal(), []);

  async function say(): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    error.value = null;
    try {
      await act();
      done.current = true;
      dialog.current?.close();
    } catch (reason) {
      error.value = reasonOf(reason);
    } finally {
      busy.value = false;
    }
  }
  return (
    <dialog
      ref={dialog}
      class="question"
      aria-labelledby={id}
      onCancel={(event) => busy.value && event.preventDefault()}
      onClose={() => onClosed(done.current)}
    >
      <h2 id={id}>{title}</h2>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          // Enter in a field does what can be taken back, and nothing else.
          if (harmless) void say();
        }}
      >
        {children}
        {error.value !== null && (
          <p class="tone-critical" role="alert">
            {error.value}
          </p>
        )}
        <footer>
          <button type="button" autofocus={!harmless} disabled={busy.value} onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type={harmless ? "submit" : "button"}
            class={harmless ? "primary" : "danger"}
            aria-disabled={busy.value}
            onClick={() => harmless || void say()}
          >
            {busy.value ? "One moment …" : yes}
          </button>
        </footer>
      </form>
    </dialog>
  );
}
