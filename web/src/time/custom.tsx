// A button that opens any other range, and the choice of the clocks that times are told by.
import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import { ClockIcon } from "../shell/icons.tsx";
import { lazy } from "../shell/lazy.tsx";
import { choiceOffset, lastMoment, zoneChoice } from "./choice.ts";
import type { TimeView } from "./view.ts";

const Choices = lazy("other ranges", async () => (await import("./choices.tsx")).Choices);

interface CustomRangeProps {
  view: TimeView;
  ofHost: boolean;
}

export function CustomRange({ view, ofHost }: CustomRangeProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const open = useSignal(false);

  function toggled(event: Event): void {
    open.value = (event as ToggleEvent).newState === "open";
    if (!open.value) return;
    // It is on top of everything and knows no place of its own; on a phone the style sheet puts it below.
    const { bottom, right } = (button.current as HTMLElement).getBoundingClientRect();
    box.current?.style.setProperty("--top", `${Math.round(bottom + 6)}px`);
    box.current?.style.setProperty("--right", `${Math.round(document.documentElement.clientWidth - right)}px`);
  }
  const shown = view.window.value;
  const other = shown.kind === "fixed" && !shown.paused;
  return (
    <>
      <button
        ref={button}
        type="button"
        class={`custom-range ${other ? "chosen" : ""}`}
        popovertarget={id}
        title="Any other range, and the time zone"
      >
        <ClockIcon />
        <span class="hidden">Other range, times in </span>
        <span>{choiceOffset(zoneChoice.value, lastMoment(shown))}</span>
      </button>
      <div
        ref={box}
        id={id}
        class="range-popover panel"
        popover="auto"
        role="dialog"
        aria-label="Other range"
        onToggle={toggled}
      >
        {open.value && <Choices view={view} ofHost={ofHost} onDone={() => box.current?.hidePopover()} />}
      </div>
    </>
  );
}
