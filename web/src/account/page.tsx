// What is one's own: password, second factor, sessions and API tokens.
import type { Me } from "../api/types.gen.ts";
import { ROLE_WORDS } from "../login/gate.ts";
import { me } from "../login/me.ts";
import { Nothing, Waiting } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { Password } from "./password.tsx";
import { SecondFactor } from "./second_factor.tsx";
import { OwnSessions } from "./sessions.tsx";
import { Tokens } from "./tokens.tsx";
import "../style/forms.css";
import "../style/people.css";

export function AccountPage() {
  useTitle("Account");
  const who = me.value;
  return (
    <div class="settings">
      <header class="page-head">
        <h1>Account</h1>
        {who?.name && who.role && (
          <p class="muted">
            <b>{who.name}</b> is {who.role === "viewer" ? "a" : "an"} {who.role}: {ROLE_WORDS[who.role]}.
          </p>
        )}
      </header>
      {who === null ? <Waiting what="the account" /> : <Parts who={who} />}
    </div>
  );
}

/** Of somebody whom a proxy vouches for, or of nobody, there is nothing here to change. */
function Parts({ who }: { who: Me }) {
  if (who.by === "anonymous" || who.by === "nobody")
    return <Nothing>Reading needs no login here. Whoever logs in has an account.</Nothing>;
  if (who.by === "proxy")
    return (
      <>
        <Nothing>
          The proxy in front of this gateway says who you are: there is no password here, and no session.
        </Nothing>
        <Tokens />
      </>
    );
  return (
    <>
      <Password who={who} />
      <SecondFactor who={who} />
      <OwnSessions />
      <Tokens />
    </>
  );
}
