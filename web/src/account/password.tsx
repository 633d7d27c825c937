// Changing one's password.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { request } from "../api/client.ts";
import type { Me, PasswordChange } from "../api/types.gen.ts";
import { NewPasswordFields, useNewPassword } from "../login/password.tsx";
import { Field } from "../shell/field.tsx";
import { useSending } from "../shell/sending.ts";
import { useUnsaved } from "../shell/unsaved.tsx";

export function Password({ who }: { who: Me }) {
  const form = useRef<HTMLFormElement>(null);
  const old = useSignal("");
  const oldTold = useSignal(false);
  const typed = useNewPassword();
  const done = useSignal(false);
  const open = useSignal(false);
  /** Attempts so far that were not sent, or were refused. */
  const failures = useSignal(0);
  const { busy, failure, send, forget } = useSending();
  useUnsaved("the new password", typed.password.value !== "");
  useEffect(() => {
    if (failures.value > 0) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [failures.value]);

  const section = useRef<HTMLElement>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    if (open.value) form.current?.querySelector<HTMLElement>("[name=old-password]")?.focus();
    else if (wasOpen.current) section.current?.querySelector("button")?.focus();
    wasOpen.current = open.value;
  }, [open.value]);

  const refused = (name: string) => failure?.fields.find(({ field }) => field === name)?.reason;
  const oldFault = oldTold.value && old.value === "" ? "Type the password that you have now." : refused("old");
  const general = failure && !refused("old") && !refused("new") ? failure.message : null;

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    done.value = false;
    oldTold.value = true;
    const sound = typed.check() && old.value !== "";
    const body: PasswordChange = { old: old.value, new: typed.password.value };
    if (!sound || !(await send(() => request("PUT", "/session/password", { body })))) {
      failures.value += 1;
      return;
    }
    close();
    done.value = true;
  }
  function close(): void {
    old.value = "";
    oldTold.value = false;
    typed.clear();
    forget();
    open.value = false;
  }
  return (
    <section ref={section} class="panel group" aria-labelledby="password">
      <h2 id="password">Password</h2>
      {!who.has_password && (
        <p class="muted">This account has no password: somebody else vouches for you when you log in.</p>
      )}
      {who.has_password && !open.value && (
        <div class="control">
          <button
            type="button"
            onClick={() => {
              done.value = false;
              open.value = true;
            }}
          >
            Change password
          </button>
        </div>
      )}
      {open.value && (
        <form ref={form} class="stacked" noValidate onSubmit={(event) => void submit(event)}>
          {/* Tells password managers whose password it is. */}
          <input
            class="hidden"
            name="username"
            autocomplete="username"
            value={who.name}
            readOnly
            tabIndex={-1}
            aria-hidden
          />
          <Field label="Password now" error={oldFault} wide>
            <input
              type="password"
              name="old-password"
              autocomplete="current-password"
              value={old.value}
              onInput={({ currentTarget }) => {
                old.value = currentTarget.value;
              }}
            />
          </Field>
          <NewPasswordFields typed={typed} refused={refused("new")} />
          {general && (
            <p class="notice bad" role="alert">
              {general}
            </p>
          )}
          <div class="control">
            <button type="submit" class="primary">
              {busy ? "Changing …" : "Change password"}
            </button>
            <button type="button" onClick={close}>
              Cancel
            </button>
          </div>
        </form>
      )}
      <p class="tone-up" role="status">
        {done.value && "Changed. Your other sessions have ended."}
      </p>
    </section>
  );
}
