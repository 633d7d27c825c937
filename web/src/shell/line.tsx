// A text to copy, such as a command or a secret. Where the browser has no clipboard for this page (plain HTTP), it is selected instead.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";
import "../style/line.css";

interface LineProps {
  label: string;
  text: string;
  /** What it is in a few words: `the line`. */
  what: string;
  rows?: number;
  /** Somebody has it now, or is about to. */
  onCopied?: () => void;
  /** Whether it is the next thing to do here. */
  primary?: boolean;
  /** Further buttons. */
  children?: ComponentChildren;
}

const WORDS = { idle: "", copied: "Copied.", selected: "Selected: copy it with the keyboard or the menu." };

export function Line({ label, text, what, rows = 3, onCopied = () => {}, primary = true, children }: LineProps) {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const state = useSignal<keyof typeof WORDS>("idle");

  async function copy(): Promise<void> {
    onCopied();
    try {
      await navigator.clipboard.writeText(text);
      state.value = "copied";
    } catch {
      field.current?.focus();
      field.current?.select();
      state.value = "selected";
    }
  }
  return (
    <div class="line">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        ref={field}
        readOnly
        rows={rows}
        value={text}
        spellcheck={false}
        onCopy={onCopied}
        onFocus={({ currentTarget }) => currentTarget.select()}
      />
      <div class="copying">
        <button type="button" class={primary ? "primary" : ""} data-next onClick={() => void copy()}>
          Copy<span class="hidden"> {what}</span>
        </button>
        {children}
        <span role="status" class="muted">
          {WORDS[state.value]}
        </span>
      </div>
    </div>
  );
}
