// Which parts of the API a new token may use: all, or some of them.
import { type Signal, useSignal } from "@preact/signals";
import type { Scope } from "../api/types.gen.ts";
import { Field } from "../shell/field.tsx";
import { SCOPE_WORDS, SCOPES, switched } from "./scopes.ts";

interface ScopeChoiceProps {
  /** Null for all of them. */
  chosen: Signal<Scope[] | null>;
  error: string | undefined;
}

export function ScopeChoice({ chosen, error }: ScopeChoiceProps) {
  const kept = useSignal<Scope[]>([]);
  const scopes = chosen.value;
  return (
    <>
      <Field label="Which parts of the API?" error={error}>
        <select
          value={scopes === null ? "all" : "some"}
          onChange={({ currentTarget }) => {
            if (chosen.value) kept.value = chosen.value;
            chosen.value = currentTarget.value === "all" ? null : kept.value;
          }}
        >
          <option value="all">Everything</option>
          <option value="some">Only chosen parts</option>
        </select>
      </Field>
      {scopes && (
        <fieldset class="scopes">
          <legend class="hidden">Parts of the API</legend>
          {SCOPES.map((scope) => (
            <label key={scope}>
              <input
                type="checkbox"
                checked={scopes.includes(scope)}
                onChange={({ currentTarget }) => {
                  chosen.value = switched(scopes, scope, currentTarget.checked);
                }}
              />
              <span>
                {scope} <small class="muted">{SCOPE_WORDS[scope]}</small>
              </span>
            </label>
          ))}
        </fieldset>
      )}
    </>
  );
}
