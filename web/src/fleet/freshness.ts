// Whether a host's values are how it is now, by the server's word alone: a host that sends every 10 s is as fresh as one
// that sends every second. Pure.
import type { HostFacts, HostState } from "../api/types.gen.ts";
import { age, duration } from "../format.ts";

/** The server's word for a host, or `unknown` while nothing is heard of any. */
export type Freshness = HostState | "unknown";

export const freshness = (state: HostState, known: boolean): Freshness =>
  known || state === "archived" ? state : "unknown";

/**
 * Milliseconds from one arrival of samples to the next: the agent has two intervals, of samples and of batches, and what
 * was seen (`stride_ms`) tells which of them it sends by. A hiccup of a second or two does not change the answer.
 */
export function interval_ms(stride_ms: number | null, facts: HostFacts): number {
  const sample_ms = facts.sample_interval_s * 1000;
  const batch_ms = facts.batch_interval_s * 1000;
  return stride_ms !== null && stride_ms > Math.sqrt(sample_ms * batch_ms) ? batch_ms : sample_ms;
}

/** What is said of a host that is not up: `Late, 34 s`, `Offline 18 min`. `age_ms` is its last sample's, null without one. */
export function staleWords(freshness: Exclude<Freshness, "up">, age_ms: number | null): string {
  if (freshness === "unknown") return "Last known";
  if (freshness === "archived") return "Archived";
  if (age_ms === null) return "No sample yet";
  if (freshness === "late") return `Late, ${age(age_ms)}`;
  return `Offline ${roughly(age_ms / 1000)}`;
}

/** Seconds in their largest unit alone: `18 min`, `14 d`. */
export const roughly = (seconds: number): string => duration(Math.floor(seconds)).split(" ")[0] as string;
