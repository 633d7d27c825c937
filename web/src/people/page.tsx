// People: who may log in, what they may, and where they are logged in.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { get } from "../api/client.ts";
import type { LoginLink, Sessions, Users } from "../api/types.gen.ts";
import { useEvery } from "../live/every.ts";
import { Loaded, useAsked } from "../shell/loaded.tsx";
import { useOpening } from "../shell/opening.ts";
import { useTitle } from "../shell/title.ts";
import { LinkShown } from "./link_shown.tsx";
import { NewUser } from "./new_user.tsx";
import { Restricted } from "./restricted.tsx";
import { SessionTable } from "./session_table.tsx";
import { UserList } from "./users.tsx";
import "../style/forms.css";
import "../style/people.css";

const askUsers = async (signal: AbortSignal) => (await get<Users>("/users", signal)).users;
const askSessions = async (signal: AbortSignal) => (await get<Sessions>("/sessions?all=true", signal)).sessions;

export function PeoplePage() {
  useTitle("People");
  return (
    <Restricted needs="admin" title="People">
      <People />
    </Restricted>
  );
}

function People() {
  const users = useAsked(askUsers);
  const sessions = useAsked(askSessions);
  const heading = useRef<HTMLHeadingElement>(null);
  const adding = useSignal(false);
  /** The link that was made last, to be handed over. */
  const link = useSignal<LoginLink | null>(null);
  /** Why the user that was added last has none. */
  const unlinked = useSignal<string | null>(null);

  useEvery(60, users.refresh);
  useEvery(60, sessions.refresh);
  useOpening("new", "user", true, () => {
    adding.value = true;
  });

  function changed(): void {
    users.load();
    // Who is disabled or deleted is logged out.
    sessions.load();
  }
  return (
    <>
      <section aria-labelledby="users">
        <header>
          <h2 id="users" ref={heading} tabIndex={-1}>
            Users
          </h2>
          <button
            type="button"
            class="primary"
            onClick={() => {
              unlinked.value = null;
              adding.value = true;
            }}
          >
            Add a user
          </button>
        </header>
        {unlinked.value && (
          <p class="notice bad" role="alert">
            {unlinked.value}
          </p>
        )}
        {link.value && (
          <LinkShown
            key={link.value.secret}
            link={link.value}
            onDone={() => {
              link.value = null;
              heading.current?.focus();
            }}
          />
        )}
        <Loaded from={users} what="The users">
          {(all) => (
            <UserList
              users={all}
              onChanged={changed}
              onGone={() => heading.current?.focus()}
              onLink={(made) => {
                unlinked.value = null;
                link.value = made;
              }}
            />
          )}
        </Loaded>
      </section>
      <section aria-labelledby="sessions">
        <header>
          <h2 id="sessions">Sessions</h2>
        </header>
        <Loaded from={sessions} what="The sessions">
          {(all) =>
            all.length === 0 ? (
              <p class="nothing-here panel">Nobody is logged in with a session.</p>
            ) : (
              <div class="panel table-panel">
                <SessionTable sessions={all} named onEnded={sessions.load} />
              </div>
            )
          }
        </Loaded>
      </section>
      {adding.value && (
        <NewUser
          onMade={changed}
          onLink={(made) => {
            link.value = made;
          }}
          onUnlinked={(name, why) => {
            unlinked.value = `${name} was added, but has no link to log in with yet: ${why} Press “New link” beside it.`;
          }}
          onClosed={() => {
            adding.value = false;
          }}
        />
      )}
    </>
  );
}
