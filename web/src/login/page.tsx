// What stands where nobody is logged in: the form, alone on the page or over it.
import { Mark } from "../shell/icons.tsx";
import { LoginForm } from "./form.tsx";
import { Welcome } from "./welcome.tsx";
import "../style/forms.css";

interface LoginProps {
  heading: string;
  /** What is said below it; empty for nothing. */
  about: string;
  /** Who is asked to come back; empty for anybody. */
  name: string;
  /** Why single sign-on did not work; empty where it was not tried. */
  failed: string;
  /** The secret of the one-time link that brought them; null without one. */
  secret: string | null;
  onSecretUsed: () => void;
  /** They may also go on as they are. */
  onCancel: (() => void) | null;
}

export function Login({ heading, about, name, failed, secret, onSecretUsed, onCancel }: LoginProps) {
  return (
    <div class="login panel">
      <p class="brand">
        <Mark />
        <span>Sonde</span>
      </p>
      <h1 id="login">{heading}</h1>
      {about && <p class="muted">{about}</p>}
      {secret === null ? <LoginForm name={name} failed={failed} /> : <Welcome secret={secret} onDone={onSecretUsed} />}
      {onCancel && (
        <button type="button" class="quiet other-way" onClick={onCancel}>
          Not now
        </button>
      )}
    </div>
  );
}
