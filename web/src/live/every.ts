// What no event tells is looked after again and again, while the page is visible.
import { useComputed, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { now } from "./session.ts";

/** Runs `act` every so many seconds, not at once. */
export function useEvery(seconds: number, act: () => void): void {
  const turn = useComputed(() => Math.floor(now.value / 1000 / seconds));
  const last = useRef(turn.peek());
  useSignalEffect(() => {
    if (turn.value === last.current) return;
    last.current = turn.value;
    act();
  });
}
