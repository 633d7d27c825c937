// Name and password, and a code when the account has a second factor.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { once } from "../api/client.ts";
import type { Login, Me } from "../api/types.gen.ts";
import { Field } from "../shell/field.tsx";
import { useSending } from "../shell/sending.ts";
import { enter, me } from "./me.ts";
import { lockedUntil, wantsCode } from "./words.ts";

interface LoginFormProps {
  /** Who is asked to come back; empty for anybody. */
  name: string;
  /** Why single sign-on did not work; empty where it was not tried. */
  failed: string;
}

export function LoginForm({ name: expected, failed }: LoginFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const name = useSignal(expected);
  const password = useSignal("");
  const code = useSignal("");
  /** Name and password fitted, and a code is wanted. */
  const coded = useSignal(false);
  const recovers = useSignal(false);
  const { busy, failure, send, forget } = useSending();
  /** Locked out until then; null while another try makes sense. */
  const until = useSignal<number | null>(null);
  const wait_s = useSignal(0);
  useSignalEffect(() => {
    const end = until.value;
    if (end === null) return undefined;
    const count = () => {
      const left_s = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      wait_s.value = left_s;
      if (left_s > 0) return;
      until.value = null;
      forget();
    };
    count();
    const timer = setInterval(count, 250);
    return () => clearInterval(timer);
  });

  // The form may come after its dialog was opened, or without one.
  useEffect(
    () => form.current?.querySelector<HTMLElement>(expected ? "[name=password]" : "[name=username]")?.focus(),
    [expected],
  );

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (until.value !== null) return;
    // A password manager may have filled the fields without an event.
    const typed = new FormData(form.current as HTMLFormElement);
    const body: Login = {
      name: String(typed.get("username") ?? "").trim(),
      password: String(typed.get("password") ?? ""),
      code: code.value.trim(),
    };
    const done = await send(async () => enter(await once<Me>("POST", "/session", { body })));
    if (!done) code.value = "";
  }
  useEffect(() => {
    if (failure === null) return;
    until.value = lockedUntil(failure, Date.now());
    if (wantsCode(failure)) coded.value = true;
    form.current?.querySelector<HTMLInputElement>(coded.value ? "[name=code]" : "[name=password]")?.select();
  }, [failure, coded, until]);
  useEffect(() => {
    if (coded.value) form.current?.querySelector<HTMLInputElement>("[name=code]")?.focus();
  }, [coded.value, recovers.value]);

  const { oidc = "" } = me.value ?? {};
  const signedOn = failed && failure === null && !coded.value ? `Single sign-on did not work: ${failed}` : null;
  const words = failure && !wantsCode(failure) ? failure.message : signedOn;
  return (
    <form ref={form} class="login-form" onSubmit={(event) => void submit(event)}>
      {words && (
        <p class="notice bad" role="alert">
          {words}
        </p>
      )}
      <Field label="Name" wide>
        <input
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
          value={name.value}
          onInput={({ currentTarget }) => {
            name.value = currentTarget.value;
            coded.value = false;
          }}
        />
      </Field>
      <Field label="Password" wide>
        <input
          name="password"
          type="password"
          autocomplete="current-password"
          required
          value={password.value}
          onInput={({ currentTarget }) => {
            password.value = currentTarget.value;
          }}
        />
      </Field>
      {coded.value && (
        <>
          <Field
            label={recovers.value ? "Recovery code" : "Code"}
            hint={recovers.value ? "Each is good for one login." : "The six digits that your authenticator shows."}
            wide
          >
            <input
              name="code"
              autocomplete="one-time-code"
              inputMode={recovers.value ? "text" : "numeric"}
              autocapitalize="none"
              spellcheck={false}
              required
              value={code.value}
              onInput={({ currentTarget }) => {
                code.value = currentTarget.value;
              }}
            />
          </Field>
          <button
            type="button"
            class="quiet other-way"
            onClick={() => {
              recovers.value = !recovers.value;
              code.value = "";
            }}
          >
            {recovers.value ? "Use the authenticator" : "Use a recovery code"}
          </button>
        </>
      )}
      <button type="submit" class="primary" disabled={until.value !== null}>
        {until.value !== null ? `Wait ${wait_s.value} s` : busy ? "Logging in …" : "Log in"}
      </button>
      {oidc !== "" && (
        <>
          <p class="or">or</p>
          <a class="button" href={`/api/v1/session/oidc?${new URLSearchParams({ to: here() })}`}>
            Log in with {oidc}
          </a>
        </>
      )}
    </form>
  );
}

/** Where whoever logs in elsewhere comes back to. */
const here = (): string => `${location.pathname}${location.search}`;
