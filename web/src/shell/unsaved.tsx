// Forms with something typed in them, and the question before that is lost.
import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { guardLeaving } from "../router.ts";

/** What is not saved yet, by form: `Raw samples kept`. */
const unsaved = new Map<symbol, string>();
/** Leaves the page after all, while that is asked. */
const leaving = signal<(() => void) | null>(null);

/** While `dirty`, leaving the page asks first, from the very event that made it so; `what` names what would be lost. */
export function useUnsaved(what: string, dirty: boolean): void {
  // Not useEffect: that waits for a frame, and whoever types and leaves within one would not be asked.
  useLayoutEffect(() => {
    if (!dirty) return undefined;
    const form = Symbol(what);
    unsaved.set(form, what);
    return () => {
      unsaved.delete(form);
    };
  }, [what, dirty]);
}

/** Whether anything is not saved yet. */
export const hasUnsaved = (): boolean => unsaved.size > 0;

/** What is typed is not asked about any more. */
export const forgetUnsaved = (): void => unsaved.clear();

/** Makes links, the back button and closing the tab ask. */
export function startGuard(): void {
  guardLeaving((go) => {
    if (unsaved.size === 0) return true;
    leaving.value = go;
    return false;
  });
  addEventListener("beforeunload", (event) => {
    if (unsaved.size > 0) event.preventDefault();
  });
}

export function LeaveDialog() {
  return leaving.value ? <Question leave={leaving.value} /> : null;
}

function Question({ leave }: { leave: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="question"
      aria-labelledby="leaving"
      onClose={() => {
        leaving.value = null;
      }}
    >
      <h2 id="leaving">Leave without saving?</h2>
      <p>Not saved yet: {[...unsaved.values()].join(", ")}.</p>
      <footer>
        <button type="button" autofocus onClick={() => dialog.current?.close()}>
          Stay
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            dialog.current?.close();
            unsaved.clear();
            leave();
          }}
        >
          Leave
        </button>
      </footer>
    </dialog>
  );
}
