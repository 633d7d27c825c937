// A new API token: what for, what it may, how long.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { request } from "../api/client.ts";
import type { MadeApiToken, NewApiToken, Role, Scope } from "../api/types.gen.ts";
import { may, ROLE_WORDS, ROLES } from "../login/gate.ts";
import { me } from "../login/me.ts";
import { Field } from "../shell/field.tsx";
import { useSending } from "../shell/sending.ts";
import { ScopeChoice } from "./scope_choice.tsx";

const DAY_S = 86_400;
const LIVES: [number, string][] = [
  [7 * DAY_S, "In 7 days"],
  [30 * DAY_S, "In 30 days"],
  [90 * DAY_S, "In 90 days"],
  [366 * DAY_S, "In a year"],
  [0, "Never"],
];

interface NewTokenProps {
  onMade: (token: MadeApiToken) => void;
  onCancel: () => void;
}

export function NewToken({ onMade, onCancel }: NewTokenProps) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("input")?.focus(), []);
  const note = useSignal("");
  const role = useSignal<Role>("viewer");
  const expires_s = useSignal(90 * DAY_S);
  const scopes = useSignal<Scope[] | null>(null);
  const tried = useSignal(false);
  const { busy, failure, send } = useSending();
  const own = me.value?.role ?? "viewer";
  const without = tried.value && scopes.value?.length === 0 ? "Choose at least one part, or everything." : undefined;
  const refused = failure?.fields.find(({ field }) => field === "note")?.reason;
  return (
    <form
      ref={form}
      class="stacked made"
      onSubmit={(event) => {
        event.preventDefault();
        tried.value = true;
        if (scopes.value?.length === 0) return;
        const body: NewApiToken = {
          note: note.value.trim(),
          role: role.value,
          expires_s: expires_s.value,
          scopes: scopes.value ?? [],
        };
        void send(async () => onMade(await request<MadeApiToken>("POST", "/tokens", { body })));
      }}
    >
      <Field label="What is it for?" error={refused} wide>
        <input
          maxLength={120}
          autocomplete="off"
          value={note.value}
          placeholder="nightly report"
          onInput={({ currentTarget }) => {
            note.value = currentTarget.value;
          }}
        />
      </Field>
      <div class="fields">
        <Field
          label="What may it do?"
          hint={`It ${ROLE_WORDS[role.value]}${scopes.value ? ", in the parts below" : ""}.`}
        >
          <select
            value={role.value}
            onChange={({ currentTarget }) => {
              role.value = currentTarget.value as Role;
            }}
          >
            {ROLES.filter((one) => may(own, one)).map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Expires">
          <select
            value={String(expires_s.value)}
            onChange={({ currentTarget }) => {
              expires_s.value = Number(currentTarget.value);
            }}
          >
            {LIVES.map(([seconds, words]) => (
              <option key={seconds} value={String(seconds)}>
                {words}
              </option>
            ))}
          </select>
        </Field>
      </div>
      <ScopeChoice chosen={scopes} error={without} />
      {failure && !refused && (
        <p class="notice bad" role="alert">
          {failure.message}
        </p>
      )}
      <div class="control">
        <button type="submit" class="primary">
          {busy ? "Making …" : "Make token"}
        </button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
