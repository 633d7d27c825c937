// The box that selects one host.
import type { Entry } from "../live/store.ts";
import { isSelected, select, selected, selecting } from "./selection.ts";
import { groups } from "./shown.ts";

interface PickProps {
  entry: Entry;
  /** Whether the keyboard comes to it although nothing is selected yet. */
  always?: boolean;
}

export function Pick({ entry, always = false }: PickProps) {
  const name = entry.host.value.label || entry.id;
  const comes = always || selecting.value || selected.value.length > 0;
  return (
    <label class="pick">
      <input
        type="checkbox"
        checked={isSelected(entry.id)}
        tabIndex={comes ? 0 : -1}
        onClick={(event) => {
          const order = event.shiftKey ? groups.peek().flatMap(({ hosts }) => hosts.map(({ id }) => id)) : null;
          select(entry.id, order);
        }}
      />
      <span class="hidden">Select {name}</span>
    </label>
  );
}
