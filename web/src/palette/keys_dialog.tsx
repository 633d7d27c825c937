// The list of keys.
import { useLayoutEffect, useRef } from "preact/hooks";
import { CloseIcon } from "../shell/icons.tsx";
import { PLACES } from "./keys.ts";
import { overlay } from "./open.ts";
import "../style/palette.css";

export function KeysDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="question keys"
      aria-labelledby="keys"
      closedby="any"
      onClose={() => {
        if (overlay.peek() === "keys") overlay.value = null;
      }}
    >
      <header>
        <h2 id="keys">Keys</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => dialog.current?.close()}>
          <CloseIcon />
        </button>
      </header>
      <div class="places">
        {PLACES.map(({ where, keys }) => (
          <section key={where}>
            <h3>{where}</h3>
            <dl>
              {keys.map((one) => (
                <div key={one.does}>
                  <dt>
                    {one.keys.map((key) => (
                      <span key={key}>
                        {key.split(/(?<=.)\+(?=.)/).map((part) => (
                          <kbd key={part}>{part}</kbd>
                        ))}
                      </span>
                    ))}
                  </dt>
                  <dd>{one.does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}
