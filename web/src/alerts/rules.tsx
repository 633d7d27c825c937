// The rules, each as the sentence it means.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Failure, reasonOf, request } from "../api/client.ts";
import type { StoredRule } from "../api/types.gen.ts";
import { lacking } from "../login/me.ts";
import { base } from "../preferences.ts";
import { Action } from "../shell/allowed.tsx";
import { Nothing } from "../shell/states.tsx";
import { active, rules } from "./data.ts";
import { ruleSentence } from "./words.ts";

interface RuleListProps {
  all: readonly StoredRule[];
  onEdit: (stored: StoredRule) => void;
  /** The last rule was deleted, and the focus with it. */
  onEmpty: () => void;
}

export function RuleList({ all, onEdit, onEmpty }: RuleListProps) {
  if (all.length === 0) return <Nothing>There are no rules: nothing will ever alert. “New rule” makes one.</Nothing>;
  return (
    <ul class="rules">
      {all.map((stored) => (
        <RuleRow key={stored.rule.id} stored={stored} onEdit={() => onEdit(stored)} onEmpty={onEmpty} />
      ))}
    </ul>
  );
}

interface RuleRowProps {
  stored: StoredRule;
  onEdit: () => void;
  onEmpty: () => void;
}

function RuleRow({ stored: { rule, version }, onEdit, onEmpty }: RuleRowProps) {
  const row = useRef<HTMLLIElement>(null);
  const actions = useRef<HTMLDivElement>(null);
  const reason = lacking("operator");
  const busy = useSignal(false);
  const error = useSignal<string | null>(null);
  /** Deleting it waits for a yes. */
  const asked = useSignal(false);
  const wasAsked = useRef(false);

  // The focus goes to the harmless answer, and back to the button that asked: each is the last of its two buttons.
  useEffect(() => {
    if (wasAsked.current !== asked.value) actions.current?.querySelector<HTMLElement>("button:last-child")?.focus();
    wasAsked.current = asked.value;
  }, [asked.value]);

  /** Whether `act` succeeded; the lists are fetched again either way. */
  async function change(act: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    error.value = null;
    try {
      await act();
      return true;
    } catch (reason) {
      const changed = reason instanceof Failure && (reason.status === 412 || reason.status === 404);
      error.value = changed
        ? "Somebody changed this rule meanwhile. See what it is now, then try again."
        : reasonOf(reason);
      return false;
    } finally {
      busy.value = false;
      rules.load();
      active.load();
    }
  }
  const toggle = () =>
    change(() => request("PUT", `/rules/${rule.id}`, { body: { ...rule, enabled: !rule.enabled }, version }));

  async function remove(): Promise<void> {
    const gone = await change(() => request("DELETE", `/rules/${rule.id}`, { version }));
    if (!gone) {
      asked.value = false;
      return;
    }
    const neighbour = row.current?.nextElementSibling ?? row.current?.previousElementSibling;
    if (neighbour) neighbour.querySelector("button")?.focus();
    else onEmpty();
    rules.put((rules.state.peek().value ?? []).filter((one) => one.rule.id !== rule.id));
  }
  return (
    <li ref={row} class={`rule panel ${rule.enabled ? "" : "disabled"}`} data-rule={rule.id}>
      <label class="switch" title={reason ?? ""}>
        <input
          type="checkbox"
          role="switch"
          disabled={reason !== null}
          aria-checked={rule.enabled}
          checked={rule.enabled}
          onChange={() => void toggle()}
        />
        <span class="hidden">{rule.name} enabled</span>
      </label>
      <div class="sentence">
        <h3>
          {rule.name} <code class="muted">{rule.id}</code>
          {!rule.enabled && <span class="off">off</span>}
        </h3>
        <p>{ruleSentence(rule, base())}</p>
      </div>
      <div class="actions" ref={actions}>
        {asked.value ? (
          <>
            <button key="yes" type="button" class="danger" onClick={() => void remove()}>
              Yes, delete<span class="hidden"> {rule.name}</span>
            </button>
            <button
              key="no"
              type="button"
              onClick={() => {
                asked.value = false;
              }}
            >
              Keep<span class="hidden"> {rule.name}</span>
            </button>
          </>
        ) : (
          <>
            <Action key="edit" needs="operator" onClick={onEdit}>
              Edit<span class="hidden"> {rule.name}</span>
            </Action>
            <Action
              key="delete"
              needs="operator"
              class="quiet"
              onClick={() => {
                asked.value = true;
              }}
            >
              Delete<span class="hidden"> {rule.name}</span>
            </Action>
          </>
        )}
      </div>
      {error.value && (
        <p class="error" role="alert">
          {error.value}
        </p>
      )}
    </li>
  );
}
