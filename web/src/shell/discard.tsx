// What a dialog with something typed in it needs before it closes.
import { useEffect, useRef } from "preact/hooks";

/** Whether the mouse is over the backdrop, which counts as the dialog. */
export function isOutside(event: MouseEvent, dialog: HTMLElement): boolean {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return event.clientX < left || event.clientX > right || event.clientY < top || event.clientY > bottom;
}

export function Discard({ onKeep, onDiscard }: { onKeep: () => void; onDiscard: () => void }) {
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), []);
  return (
    <div class="notice warn" role="alert">
      <p>Discard what you typed?</p>
      <div>
        <button ref={keep} type="button" onClick={onKeep}>
          Keep editing
        </button>
        <button type="button" class="danger" onClick={onDiscard}>
          Discard
        </button>
      </div>
    </div>
  );
}
