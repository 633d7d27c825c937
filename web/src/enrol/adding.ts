// Whether the dialog "Add a machine" is open: the fleet's address says so (`/?add=machine`), so that a link can open it
// and the back button closes it.
import { computed, signal } from "@preact/signals";
import { memory, query, setQuery } from "../router.ts";

/** What an entry of the history remembers that the button made, and not a link from elsewhere. */
const OPENED = "adding a machine";

export const adding = computed(() => query.value.has("add"));

/** The line stands in the page of a fleet that began empty; whoever asks for another one gets the dialog instead. */
export const inPage = signal(false);

export function openAdding(): void {
  inPage.value = false;
  setQuery({ add: "machine" }, { memory: OPENED });
}

/** Leaves no entry of the history that would open it again. */
export function closeAdding(): void {
  if (!adding.peek()) return;
  if (memory.peek() === OPENED) history.back();
  else leaveAdding();
}

/** As `closeAdding`, for a way that goes on from here. */
export function leaveAdding(): void {
  setQuery({ add: null }, { replace: true, memory: null });
}
