// What narrows the audit log down. It is in the address, so that a finding can be shared.
import { useSignal } from "@preact/signals";
import { Field } from "../shell/field.tsx";

interface FiltersProps {
  who: string;
  target: string;
  onAsked: (asked: { who: string; target: string }) => void;
}

export function Filters({ who, target, onAsked }: FiltersProps) {
  const typedWho = useSignal(who);
  const typedTarget = useSignal(target);
  return (
    <search>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          onAsked({ who: typedWho.value.trim(), target: typedTarget.value.trim() });
        }}
      >
        <Field label="Who">
          <input
            name="who"
            placeholder="anybody"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={typedWho.value}
            onInput={({ currentTarget }) => {
              typedWho.value = currentTarget.value;
            }}
          />
        </Field>
        <Field label="What was changed">
          <input
            name="target"
            placeholder="anything, such as web-1"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={typedTarget.value}
            onInput={({ currentTarget }) => {
              typedTarget.value = currentTarget.value;
            }}
          />
        </Field>
        <button type="submit">Find</button>
        {(who || target) && (
          <button type="button" class="quiet" onClick={() => onAsked({ who: "", target: "" })}>
            Show all
          </button>
        )}
      </form>
    </search>
  );
}
