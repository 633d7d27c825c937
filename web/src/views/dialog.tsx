// One's saved views, and the page to begin with: the dialog, and saving the page in view under a name.
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { hasAccount } from "../login/me.ts";
import { overlay } from "../palette/open.ts";
import { CloseIcon } from "../shell/icons.tsx";
import { useSending } from "../shell/sending.ts";
import { saveView, views } from "./data.ts";
import { SavedList } from "./saved_list.tsx";
import { StartChoice } from "./start_choice.tsx";
import { addressHere, proposedName } from "./words.ts";
import "../style/views.css";

export function ViewsDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => dialog.current?.close();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    if (hasAccount()) views.load();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="question saved-views"
      aria-labelledby="views"
      closedby="any"
      onClose={() => {
        if (overlay.peek() === "views") overlay.value = null;
      }}
    >
      <header>
        <h2 id="views">Saved views</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={close}>
          <CloseIcon />
        </button>
      </header>
      {hasAccount() ? (
        <>
          <Save />
          <SavedList onOpen={close} />
          <StartChoice />
        </>
      ) : (
        <p>Log in to save views: they are kept with your account.</p>
      )}
    </dialog>
  );
}

function Save() {
  const name = useSignal(proposedName(addressHere(location)));
  const saved = useSignal("");
  const { busy, failure, send } = useSending();
  const all = views.state.value.value ?? [];
  const over = all.some((view) => view.name === name.value.trim());
  async function save(event: Event): Promise<void> {
    event.preventDefault();
    const wanted = name.value.trim();
    if (wanted !== "" && (await send(() => saveView(wanted, addressHere(location)))))
      saved.value = `Saved as “${wanted}”.`;
  }
  return (
    <form class="save-view" onSubmit={(event) => void save(event)}>
      <label for="view-name">Save this page as</label>
      <div>
        <input
          id="view-name"
          value={name.value}
          maxLength={80}
          required
          autocomplete="off"
          onInput={({ currentTarget: { value } }) => {
            name.value = value;
            saved.value = "";
          }}
        />
        <button type="submit" class="primary">
          {busy ? "Saving …" : over ? "Save over it" : "Save"}
        </button>
      </div>
      <p role="status" class={failure ? "error" : "muted"}>
        {failure?.message ?? saved.value}
      </p>
    </form>
  );
}
