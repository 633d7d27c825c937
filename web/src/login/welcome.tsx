// A one-time link has been followed: its account gets a password, and its user is logged in.
import { useEffect, useRef } from "preact/hooks";
import { once } from "../api/client.ts";
import type { LinkLogin, Me } from "../api/types.gen.ts";
import { useSending } from "../shell/sending.ts";
import { enter } from "./me.ts";
import { NewPasswordFields, useNewPassword } from "./password.tsx";

interface WelcomeProps {
  secret: string;
  /** The link is used, or given up. */
  onDone: () => void;
}

export function Welcome({ secret, onDone }: WelcomeProps) {
  const form = useRef<HTMLFormElement>(null);
  const typed = useNewPassword();
  const { busy, failure, send } = useSending();

  useEffect(() => form.current?.querySelector("input")?.focus(), []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (!typed.check()) {
      // Once what is wrong is on the page.
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
      return;
    }
    const body: LinkLogin = { secret, password: typed.password.value };
    await send(async () => {
      const me = await once<Me>("POST", "/session/link", { body });
      onDone();
      enter(me);
    });
  }
  const refused = failure?.fields.find(({ field }) => field === "password")?.reason;
  useEffect(() => {
    if (refused) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [refused]);
  return (
    <form ref={form} class="login-form" noValidate onSubmit={(event) => void submit(event)}>
      {failure && !refused && (
        <p class="notice bad" role="alert">
          {failure.message}
        </p>
      )}
      <NewPasswordFields typed={typed} refused={refused} />
      <button type="submit" class="primary">
        {busy ? "One moment …" : "Set password and log in"}
      </button>
      <button type="button" class="quiet other-way" onClick={onDone}>
        Log in with a password instead
      </button>
    </form>
  );
}
