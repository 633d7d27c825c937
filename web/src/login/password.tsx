// A new password, typed twice; used where one is set and where one is changed.
import { type Signal, useSignal } from "@preact/signals";
import { Field } from "../shell/field.tsx";
import { PASSWORD_HINT, passwordFault, repeatFault } from "./words.ts";

export interface NewPassword {
  readonly password: Signal<string>;
  readonly repeated: Signal<string>;
  /** Whether what is wrong is told: from the first attempt to send it on. */
  readonly told: Signal<boolean>;
  /** Whether it can be sent; from now on what is wrong is told. */
  check: () => boolean;
  clear: () => void;
}

export function useNewPassword(): NewPassword {
  const password = useSignal("");
  const repeated = useSignal("");
  const told = useSignal(false);
  return {
    password,
    repeated,
    told,
    check: () => {
      told.value = true;
      return passwordFault(password.value) === null && repeatFault(password.value, repeated.value) === null;
    },
    clear: () => {
      password.value = "";
      repeated.value = "";
      told.value = false;
    },
  };
}

interface NewPasswordFieldsProps {
  typed: NewPassword;
  /** What the gateway objected to. */
  refused?: string | undefined;
}

export function NewPasswordFields({ typed: { password, repeated, told }, refused }: NewPasswordFieldsProps) {
  const fault = told.value ? passwordFault(password.value) : null;
  const differs = told.value && fault === null ? repeatFault(password.value, repeated.value) : null;
  const common = { type: "password", autocomplete: "new-password", required: true } as const;
  return (
    <>
      <Field label="New password" error={fault ?? refused} hint={PASSWORD_HINT} wide>
        <input
          {...common}
          name="new-password"
          value={password.value}
          onInput={({ currentTarget }) => {
            password.value = currentTarget.value;
          }}
        />
      </Field>
      <Field label="New password, once more" error={differs ?? undefined} wide>
        <input
          {...common}
          name="repeated-password"
          value={repeated.value}
          onInput={({ currentTarget }) => {
            repeated.value = currentTarget.value;
          }}
        />
      </Field>
    </>
  );
}
