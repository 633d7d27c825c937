// Forms with something typed in them, and the question before that is lost.
import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { guardLeaving } from "../router.ts";

/** What is not saved yet, by form: `Raw samples kept`. */
const unsaved = new Map<symbol, string>();

interface Leaving {
  number: number;
  /** Leaves the page after all. */
  leave: () => void;
}

/** What is asked; null while nothing is. */
const leaving = signal<Leaving | null>(null);
let questions = 0;

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
    questions += 1;
    leaving.value = { number: questions, leave: go };
    return false;
  });
  addEventListener("beforeunload", (event) => {
    if (unsaved.size > 0) event.preventDefault();
  });
}

export function LeaveDialog() {
  const asked = leaving.value;
  // Each is a dialog of its own: the browser tells that one is closed a frame later, when the next may be open.
  return asked ? <Question key={asked.number} {...asked} /> : null;
}

function Question({ number, leave }: Leaving) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const answered = () => {
    if (leaving.peek()?.number === number) leaving.value = null;
  };
  /** Closed first, so that the focus goes back to where it was. */
  function close(): void {
    dialog.current?.close();
    answered();
  }
  return (
    <dialog ref={dialog} class="question" aria-labelledby="leaving" onClose={answered}>
      <h2 id="leaving">Leave without saving?</h2>
      <p>Not saved yet: {[...unsaved.values()].join(", ")}.</p>
      <footer>
        <button type="button" autofocus onClick={close}>
          Stay
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            close();
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
