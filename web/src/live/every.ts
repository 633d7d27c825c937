// What no event tells is looked after again and again, while the page is visible.
import { computed, useComputed, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { now } from "./session.ts";

/** Server time, moving every minute: for times that are told otherwise once their day is over. */
export const minute = computed(() => Math.floor(now.value / 60_000) * 60_000);

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
