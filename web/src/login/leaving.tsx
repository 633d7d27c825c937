// The end of the session, where no button is that could tell how it goes: it is asked for at once, and a failure is told.
import { useLayoutEffect, useRef } from "preact/hooks";
import { reasonOf } from "../api/client.ts";
import { overlay } from "../palette/open.ts";
import { useSending } from "../shell/sending.ts";
import { leave } from "./me.ts";

export function LeavingDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const { busy, failure, send } = useSending();
  useLayoutEffect(() => {
    dialog.current?.showModal();
    void send(leave);
  }, []);
  return (
    <dialog
      ref={dialog}
      class="question"
      aria-labelledby="leaving-session"
      onClose={() => {
        if (overlay.peek() === "leaving") overlay.value = null;
      }}
    >
      <h2 id="leaving-session">{failure ? "You are still logged in" : "Logging out …"}</h2>
      {failure && (
        <p class="tone-critical" role="alert">
          {reasonOf(failure)}
        </p>
      )}
      <footer>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
        <button type="button" class="primary" aria-disabled={busy} onClick={() => void send(leave)}>
          Log out
        </button>
      </footer>
    </dialog>
  );
}
