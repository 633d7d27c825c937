// Of which stretch of time the live stream told.
import { effect, type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Stretch } from "../charts/stretches.ts";
import { live, now } from "./session.ts";

/** Up to now while the stream is there; null before it first was. `missed` moves when samples may have been missed. */
export function useStreamed(missed: ReadonlySignal<number>): ReadonlySignal<Stretch | null> {
  const streamed = useSignal<Stretch | null>(null);
  useEffect(
    () =>
      effect(() => {
        // Of what was missed only an answer can tell.
        missed.value;
        const before = streamed.peek();
        if (live.value) streamed.value = { from: now.peek(), to: Number.POSITIVE_INFINITY };
        else if (before) streamed.value = { from: before.from, to: now.peek() };
      }),
    [missed, streamed],
  );
  return streamed;
}
