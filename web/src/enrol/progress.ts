// How far a machine is on its way into the fleet, and the words for it. Pure.
import type { EnrolmentToken } from "../api/types.gen.ts";

export type Stage =
  /** Nobody has used the line yet. */
  | { kind: "waiting" }
  /** The machine has an identity, and no sample of it has come. */
  | { kind: "enrolled"; host: string }
  | { kind: "here"; host: string }
  /** Nobody will ever come by this line. */
  | { kind: "over"; why: string };

const WHY_OVER = {
  expired: "The line has expired.",
  withdrawn: "The line was withdrawn.",
  used: "The line was used, and the host that came by it is gone.",
} as const;

/** `hasSample` tells whether a sample of that host has come. */
export function stageOf({ state, hosts }: EnrolmentToken, hasSample: (host: string) => boolean): Stage {
  const [host] = hosts;
  if (host !== undefined) return { kind: hasSample(host) ? "here" : "enrolled", host };
  return state === "open" ? { kind: "waiting" } : { kind: "over", why: WHY_OVER[state] };
}

/** How much longer a line is good: whole minutes, so that it changes once in one. */
export function goodFor(left_ms: number): string {
  const minutes = Math.ceil(left_ms / 60_000);
  if (minutes <= 1) return "less than a minute";
  return `${minutes} minutes`;
}

/** A text with the names of settings in it apart, to be set as code: every second part is one. */
export const settingsApart = (text: string): string[] => text.split(/(SONDE_[A-Z_]*[A-Z])/);
