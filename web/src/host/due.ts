// When what happened to a host is asked for again. Pure.
import type { AlertTransition } from "../api/types.gen.ts";
import type { Window } from "../charts/window.ts";

/** What may have made marks out of date. Every part is another one (`!==`) once it has moved. */
export interface Seen {
  window: Window;
  /** Moves every so often while the charts follow the present. */
  turn: number;
  /** Moves when the stream was away and is back. */
  snapshots: number;
  setting: object | null;
  /** The newest of the whole fleet. */
  transition: Pick<AlertTransition, "host"> | null;
}

/** `load` for another range, `refresh` where something may have happened to `host` meanwhile, null otherwise. */
export function dueOf(before: Seen | null, now: Seen, host: string): "load" | "refresh" | null {
  if (before?.window !== now.window) return "load";
  if (before.turn !== now.turn || before.snapshots !== now.snapshots || before.setting !== now.setting)
    return "refresh";
  return before.transition !== now.transition && now.transition?.host === host ? "refresh" : null;
}
