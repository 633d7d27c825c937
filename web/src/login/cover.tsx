// Where nobody is logged in: the login form instead of the page, or over a page in use, which keeps its state behind it.
import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { lazy } from "../shell/lazy.tsx";
import { useTitle } from "../shell/title.ts";
import "../style/login.css";
import { failureIn, secretIn } from "./arrival.ts";
import { enteredName, gate, wanted } from "./me.ts";

const Login = lazy("the login", async () => (await import("./page.tsx")).Login);

/** The secret of the one-time link that brought somebody here; null once it is used, or without one. */
const secret = signal<string | null>(null);

/** Why single sign-on led back here; empty when it did not. */
const failed = signal("");

/** Where a link leads; there is no page of that name. */
const DOOR = "/login";

/** Takes the secret out of the address, where it would stay in the history and on the screen. */
function takeSecret(): void {
  const found = secretIn(location.hash);
  failed.value = failureIn(location.hash) ?? "";
  const page = location.pathname === DOOR ? "/" : location.pathname;
  if (found === null && page === location.pathname) return;
  history.replaceState(history.state, "", `${page}${location.search}`);
  if (found !== null) secret.value = found;
}

/** Before the router reads the address. */
export function startArrivals(): void {
  takeSecret();
  addEventListener("hashchange", takeSecret);
}

/** Whether the page is not to be shown: nobody may see it, or somebody has come by a link. */
export const isShut = (): boolean => gate.value === "login" || (gate.value === "asking" && secret.value !== null);

const usedUp = () => {
  secret.value = null;
};

export function LoginPage() {
  useTitle("Log in");
  const invited = secret.value !== null;
  return (
    <main class="login-page">
      <Login
        heading={invited ? "Welcome" : "Log in"}
        about={invited ? "Choose the password of your account." : ""}
        name=""
        failed={failed.value}
        secret={secret.value}
        onSecretUsed={usedUp}
        onCancel={null}
      />
    </main>
  );
}

/** Over the page: the session has ended, or somebody wants to log in who need not. */
export function Cover() {
  if (gate.value === "ended" || secret.value !== null || wanted.value) return <CoverDialog />;
  return null;
}

function CoverDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const ended = gate.value === "ended";
  const invited = secret.value !== null;
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // Gives the focus back to where it was.
    return () => shown?.close();
  }, []);

  function cancel(): void {
    secret.value = null;
    wanted.value = false;
  }
  const heading = invited ? "Welcome" : ended ? "Your session has ended" : "Log in";
  const about = invited ? "Choose the password of your account." : ended ? "Log in again to go on where you were." : "";
  return (
    <dialog
      ref={dialog}
      class="cover"
      aria-labelledby="login"
      onCancel={(event) => {
        event.preventDefault();
        if (!ended) cancel();
      }}
      onClose={() => {
        // Browsers close a dialog without asking when its user insists.
        if (gate.peek() === "ended") dialog.current?.showModal();
        else cancel();
      }}
    >
      <Login
        heading={heading}
        about={about}
        name={ended ? enteredName() : ""}
        failed=""
        secret={secret.value}
        onSecretUsed={usedUp}
        onCancel={ended ? null : cancel}
      />
    </dialog>
  );
}
