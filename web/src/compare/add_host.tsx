// A field that takes the name of a host, with those of the fleet offered.
import { useComputed, useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { fleet } from "../live/session.ts";

/** Names offered at once: browsers show no more. */
const OFFERED = 60;

export function AddHost({ chosen, onAdd }: { chosen: readonly string[]; onAdd: (id: string) => void }) {
  const id = useId();
  const text = useSignal("");
  const focused = useSignal(false);
  const offered = useComputed(() => {
    if (!focused.value) return [];
    const part = text.value.trim().toLowerCase();
    return fleet.ids.value
      .map((host) => ({ host, name: fleet.entries.get(host)?.host.peek().label || host }))
      .filter(({ host, name }) => `${host} ${name}`.toLowerCase().includes(part));
  });
  function take(): void {
    const typed = text.value.trim();
    const exact = offered.value.find(({ host, name }) => host === typed || name === typed);
    const found = exact ?? (offered.value.length === 1 ? offered.value[0] : undefined);
    if (!found || chosen.includes(found.host)) return;
    text.value = "";
    onAdd(found.host);
  }
  return (
    <form
      class="add-host"
      onSubmit={(event) => {
        event.preventDefault();
        take();
      }}
    >
      <input
        type="text"
        list={id}
        aria-label="Add a host"
        placeholder="Add a host …"
        value={text.value}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        onFocus={() => {
          focused.value = true;
        }}
        onBlur={() => {
          focused.value = false;
        }}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          // A name that was picked from the list is there at once, with nothing more to press.
          const typed = event instanceof InputEvent && event.inputType !== "insertReplacementText";
          if (!typed && fleet.entries.has(text.value)) take();
        }}
      />
      <datalist id={id}>
        {offered.value
          .filter(({ host }) => !chosen.includes(host))
          .slice(0, OFFERED)
          .map(({ host, name }) => (
            <option key={host} value={host}>
              {name === host ? undefined : name}
            </option>
          ))}
      </datalist>
    </form>
  );
}
