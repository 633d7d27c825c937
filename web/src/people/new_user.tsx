// The dialog in which a user is added. What comes back is a link to hand over, so that nobody knows another's password.
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Failure, request } from "../api/client.ts";
import type { NewUser as Body, LoginLink, Role, User } from "../api/types.gen.ts";
import { ROLE_WORDS } from "../login/gate.ts";
import { Field } from "../shell/field.tsx";
import { useSending } from "../shell/sending.ts";
import { RoleSelect } from "./role_select.tsx";

interface NewUserProps {
  onMade: () => void;
  onLink: (link: LoginLink) => void;
  /** The user was added, but for want of an answer there is no link yet. */
  onUnlinked: (name: string, why: string) => void;
  onClosed: () => void;
}

export function NewUser({ onMade, onLink, onUnlinked, onClosed }: NewUserProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const name = useSignal("");
  const role = useSignal<Role>("viewer");
  const { busy, failure, send } = useSending();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const refused = failure && (failure.fields.find(({ field }) => field === "name")?.reason ?? taken(failure.status));
  useEffect(() => {
    if (refused) dialog.current?.querySelector("input")?.select();
  }, [refused]);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const body: Body = { name: name.value.trim().toLowerCase(), role: role.value };
    const done = await send(async () => {
      const user = await request<User>("POST", "/users", { body });
      onMade();
      await link(user);
    });
    if (done) dialog.current?.close();
  }
  /** What is made stays made: it cannot be added again. */
  async function link({ id, name: made }: User): Promise<void> {
    try {
      onLink(await request<LoginLink>("POST", `/users/${id}/link`));
    } catch (reason) {
      if (!(reason instanceof Failure)) throw reason;
      onUnlinked(made, reason.message);
    }
  }
  return (
    <dialog ref={dialog} class="question" aria-labelledby="new-user" onClose={onClosed}>
      <h2 id="new-user">Add a user</h2>
      <form class="stacked" onSubmit={(event) => void submit(event)}>
        <Field
          label="Name"
          error={refused ?? undefined}
          hint="To log in with: letters, digits and . _ @ + -, all in lower case."
          wide
        >
          <input
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            maxLength={64}
            required
            value={name.value}
            onInput={({ currentTarget }) => {
              name.value = currentTarget.value;
            }}
          />
        </Field>
        <Field label="Role" hint={`${role.value}: ${ROLE_WORDS[role.value]}`} wide>
          <RoleSelect
            value={role.value}
            onChange={(chosen) => {
              role.value = chosen;
            }}
          />
        </Field>
        {failure && !refused && (
          <p class="notice bad" role="alert">
            {failure.message}
          </p>
        )}
        <footer>
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class="primary">
            {busy ? "Adding …" : "Add"}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

const taken = (status: number): string | null => (status === 409 ? "Choose another name: a user has this one." : null);
