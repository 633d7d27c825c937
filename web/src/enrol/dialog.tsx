// The frame of "Add a machine": a dialog over the fleet. What is in it is loaded when it is opened first.
import { useSignal } from "@preact/signals";
import type { ComponentProps } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { lacking } from "../login/me.ts";
import { Withheld } from "../shell/allowed.tsx";
import { CloseIcon } from "../shell/icons.tsx";
import { lazy } from "../shell/lazy.tsx";
import { closeAdding, leaveAdding } from "./adding.ts";

const Line = lazy("the line", async () => (await import("./panel.tsx")).Panel);

/** A line is a token, which not everybody may make. */
export function Panel(properties: ComponentProps<typeof Line>) {
  if (lacking("admin") === null) return <Line {...properties} />;
  return <Withheld needs="admin">An admin gets a line to paste on the machine here.</Withheld>;
}

export function AddDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  /** Number of machines that this dialog was opened for: each gets a line of its own. */
  const turn = useSignal(0);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="question adding" aria-labelledby="adding" onClose={closeAdding}>
      <header>
        <h2 id="adding">Add a machine</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => dialog.current?.close()}>
          <CloseIcon />
        </button>
      </header>
      <Panel
        key={turn.value}
        takesFocus
        onFollow={leaveAdding}
        onAnother={() => {
          turn.value += 1;
        }}
      />
    </dialog>
  );
}
