// The palette: one field that finds every page, host, saved view and action. Its frame comes with the first page, so that
// what is typed right after its keys is not lost; what is found is fetched when it is first opened.
//
// The arrows move the real focus through ordinary links and buttons, so that nothing here needs a role of its own.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { SearchIcon } from "../shell/icons.tsx";
import { lazy } from "../shell/lazy.tsx";
import { overlay } from "./open.ts";
import "../style/palette.css";

const Results = lazy("the commands", async () => (await import("./results.tsx")).Results);
const ViewsDialog = lazy("the saved views", async () => (await import("../views/dialog.tsx")).ViewsDialog);
const LeavingDialog = lazy("the end of the session", async () => (await import("./results.tsx")).LeavingDialog);
const KeysDialog = lazy("the keys", async () => (await import("./keys_dialog.tsx")).KeysDialog);

export function Overlay() {
  switch (overlay.value) {
    case "palette":
      return <PaletteDialog />;
    case "views":
      return <ViewsDialog />;
    case "keys":
      return <KeysDialog />;
    case "leaving":
      return <LeavingDialog />;
    default:
      return null;
  }
}

/** Any that is not withheld, in the order of the page. */
const CHOICES = "li > a, li > button";

function PaletteDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const text = useSignal("");
  /** Enter was pressed before anything could be found. */
  const entered = useRef(false);
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);

  const choicesOf = () => [...(dialog.current?.querySelectorAll<HTMLElement>(CHOICES) ?? [])];

  function onKeyDown(event: KeyboardEvent): void {
    // These keys are for whoever still composes a word.
    if (event.isComposing) return;
    const input = field.current as HTMLInputElement;
    const choices = choicesOf();
    const here = choices.indexOf(event.target as HTMLElement);
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") dialog.current?.close();
    else if (event.key === "ArrowDown") (choices[here + 1] ?? input).focus();
    else if (event.key === "ArrowUp") (here < 0 ? choices.at(-1) : (choices[here - 1] ?? input))?.focus();
    else if (event.key === "Enter" && event.target === input) {
      entered.current = choices.length === 0;
      choices[0]?.click();
    } else {
      // What is typed belongs into the field, wherever the focus is.
      if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey)
        input.focus();
      return;
    }
    event.preventDefault();
  }
  return (
    <dialog
      ref={dialog}
      class="palette"
      aria-label="Find a page, host, view or action"
      onKeyDown={onKeyDown}
      closedby="any"
      onClose={() => {
        if (overlay.peek() === "palette") overlay.value = null;
      }}
    >
      <label>
        <SearchIcon />
        <span class="hidden">Find a page, host, view or action</span>
        <input
          ref={field}
          type="text"
          placeholder="Page, host, view or action"
          value={text.value}
          onInput={({ currentTarget: { value } }) => {
            text.value = value;
            entered.current = false;
          }}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          enterkeyhint="go"
        />
        <kbd>Esc</kbd>
      </label>
      <Results
        text={text.value}
        onThere={() => entered.current && choicesOf()[0]?.click()}
        onDone={() => dialog.current?.close()}
      />
    </dialog>
  );
}
