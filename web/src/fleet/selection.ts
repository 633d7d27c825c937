// Which hosts are selected, to do something with all of them, and where the keyboard is.
import { computed, signal } from "@preact/signals";
import { fleet } from "../live/session.ts";
import { between, type Spot, withAll } from "./spots.ts";

const ids = signal<ReadonlySet<string>>(new Set());
/** Whether boxes to select by are shown on every card, also where nothing can point. */
export const selecting = signal(false);
/** From where a selection with Shift goes on. */
let anchor: string | null = null;
/** The host that the keyboard is at. */
export const cursor = signal<Spot | null>(null);

/** The selected hosts that there are, by their ids, ascending. */
export const selected = computed<readonly string[]>(() => {
  fleet.ids.value;
  return [...ids.value].filter((id) => fleet.entries.has(id)).sort();
});
const there = computed<ReadonlySet<string>>(() => new Set(selected.value));
export const isSelected = (id: string): boolean => there.value.has(id);

/** Selects a host or lets it go; with `order`, all from the last one to it, as Shift asks for. */
export function select(id: string, order: readonly string[] | null = null): void {
  const range = order && anchor !== null ? between(order, anchor, id) : [];
  if (range.length > 0) ids.value = withAll(ids.peek(), range, true);
  else ids.value = withAll(ids.peek(), [id], !ids.peek().has(id));
  anchor = id;
}

/** Selects several, or lets them go. */
export function selectAll(some: readonly string[], on: boolean): void {
  ids.value = withAll(ids.peek(), some, on);
  anchor = null;
}

export function selectNone(): void {
  ids.value = new Set();
  selecting.value = false;
  anchor = null;
}
