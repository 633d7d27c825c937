// The rules, each as the sentence it means.
import { useSignal } from "@preact/signals";
import { reasonOf, request } from "../api/client.ts";
import type { StoredRule } from "../api/types.gen.ts";
import { base } from "../preferences.ts";
import { active, rules } from "./data.ts";
import { ruleSentence } from "./words.ts";

export function RuleList({ onEdit }: { onEdit: (stored: StoredRule) => void }) {
  const error = useSignal<string | null>(null);
  /** Id of the rule whose deletion waits for a yes. */
  const asked = useSignal<string | null>(null);

  async function change(act: () => Promise<unknown>): Promise<void> {
    error.value = null;
    asked.value = null;
    try {
      await act();
    } catch (reason) {
      error.value = reasonOf(reason);
    }
    rules.load();
    active.load();
  }
  const toggle = ({ rule, version }: StoredRule) =>
    change(() => request("PUT", `/rules/${rule.id}`, { body: { ...rule, enabled: !rule.enabled }, version }));
  const remove = ({ rule, version }: StoredRule) => change(() => request("DELETE", `/rules/${rule.id}`, { version }));

  const all = rules.state.value.value;
  if (all === null) return null;
  return (
    <>
      {error.value && (
        <p class="notice bad" role="alert">
          {error.value}
        </p>
      )}
      {all.length === 0 && <p class="quiet-line panel">No rules: nothing will ever alert.</p>}
      <ul class="rules">
        {all.map((stored) => (
          <li
            key={stored.rule.id}
            class={`rule panel ${stored.rule.enabled ? "" : "disabled"}`}
            data-rule={stored.rule.id}
          >
            <label class="switch" title={stored.rule.enabled ? "On" : "Off"}>
              <input
                type="checkbox"
                role="switch"
                aria-checked={stored.rule.enabled}
                checked={stored.rule.enabled}
                onChange={() => void toggle(stored)}
              />
              <span class="hidden">{stored.rule.name} enabled</span>
            </label>
            <div class="sentence">
              <h3>
                {stored.rule.name} <code class="muted">{stored.rule.id}</code>
              </h3>
              <p>{ruleSentence(stored.rule, base())}</p>
            </div>
            <div class="actions">
              {asked.value === stored.rule.id ? (
                <>
                  <button type="button" class="danger" onClick={() => void remove(stored)}>
                    Delete it
                  </button>
                  <button
                    type="button"
                    onClick={() => {
                      asked.value = null;
                    }}
                  >
                    Keep
                  </button>
                </>
              ) : (
                <>
                  <button type="button" onClick={() => onEdit(stored)} aria-label={`Edit ${stored.rule.name}`}>
                    Edit
                  </button>
                  <button
                    type="button"
                    class="quiet"
                    aria-label={`Delete ${stored.rule.name}`}
                    onClick={() => {
                      asked.value = stored.rule.id;
                    }}
                  >
                    Delete
                  </button>
                </>
              )}
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
