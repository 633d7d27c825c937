// How Sonde itself is: told by the stream when a part changes, and asked for again for the numbers that always move.
import { useSignalEffect } from "@preact/signals";
import { get } from "../api/client.ts";
import type { Loader } from "../api/loading.ts";
import type { Health } from "../api/types.gen.ts";
import { useEvery } from "../live/every.ts";
import { health } from "../live/session.ts";
import { useAsked } from "../shell/loaded.tsx";

/** How often the numbers are asked for, in seconds: services tell theirs as often. */
const EVERY_S = 5;

const ask = (signal: AbortSignal): Promise<Health> => get("/health", signal);

/** How Sonde is, kept current while a page shows it. */
export function useHealth(): Loader<Health> {
  const asked = useAsked(ask);
  useEvery(EVERY_S, asked.refresh);
  useSignalEffect(() => {
    const told = health.value;
    const before = asked.state.peek().value;
    if (told && (before === null || told.time > before.time)) asked.put(told);
  });
  return asked;
}
