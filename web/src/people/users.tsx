// The users, each with what can be done about them.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { request } from "../api/client.ts";
import type { LoginLink, Role, User, UserChange } from "../api/types.gen.ts";
import { recent } from "../format.ts";
import { minute } from "../live/every.ts";
import { askAgain, me } from "../login/me.ts";
import { Question } from "../shell/question.tsx";
import { useSending } from "../shell/sending.ts";
import { Nothing } from "../shell/states.tsx";
import { RoleSelect } from "./role_select.tsx";

interface UserListProps {
  users: readonly User[];
  onChanged: () => void;
  /** A user was deleted, and the focus with them. */
  onGone: () => void;
  onLink: (link: LoginLink) => void;
}

export function UserList({ users, ...about }: UserListProps) {
  if (users.length === 0) return <Nothing>There are no users.</Nothing>;
  return (
    <ul class="users">
      {users.map((user) => (
        <UserRow key={user.id} user={user} {...about} />
      ))}
    </ul>
  );
}

type Asked = "delete" | "link" | "disable" | null;
type UserRowProps = Omit<UserListProps, "users"> & { user: User };

function UserRow({ user, onChanged, onGone, onLink }: UserRowProps) {
  const row = useRef<HTMLLIElement>(null);
  const asked = useSignal<Asked>(null);
  const { failure, send } = useSending();
  const own = me.value?.name === user.name;
  const address = `/users/${user.id}`;

  async function change(body: UserChange): Promise<void> {
    await send(() => request("PATCH", address, { body }));
    onChanged();
    if (own) askAgain();
  }
  function closed(done: boolean): void {
    const was = asked.value;
    asked.value = null;
    if (!done) return;
    onChanged();
    if (was === "delete") onGone();
  }
  return (
    <li ref={row} class={`user panel ${user.disabled ? "disabled" : ""}`} data-user={user.name}>
      <div class="whom">
        <h3>
          {user.name}
          {own && <span class="badge">you</span>}
          {user.disabled && <span class="off">disabled</span>}
        </h3>
        <p class="muted">{about(user)}</p>
      </div>
      <div class="actions">
        <RoleSelect
          aria-label={`Role of ${user.name}`}
          value={user.role}
          onChange={(role: Role) => void change({ role })}
        />
        <Ask words="New link" whom={user.name} onClick={() => (asked.value = "link")} />
        {user.disabled ? (
          <Ask words="Enable" whom={user.name} onClick={() => void change({ disabled: false })} />
        ) : (
          <Ask words="Disable" whom={user.name} onClick={() => (asked.value = "disable")} />
        )}
        <Ask words="Delete" whom={user.name} onClick={() => (asked.value = "delete")} />
      </div>
      {failure && (
        <p class="error" role="alert">
          {failure.fields[0]?.reason ?? failure.message}
        </p>
      )}
      {asked.value === "link" && (
        <Question
          title={`Make a link for ${user.name}?`}
          yes="Make link"
          act={async () => onLink(await request<LoginLink>("POST", `${address}/link`))}
          onClosed={closed}
        >
          <p>
            Whoever opens it sets a new password for {user.name}, which removes the second factor and ends all sessions.
            Until then everything stays as it is; links made before are void.
          </p>
        </Question>
      )}
      {asked.value === "disable" && (
        <Question
          title={`Disable ${user.name}?`}
          yes="Disable"
          act={() => request("PATCH", address, { body: { disabled: true } satisfies UserChange })}
          onClosed={closed}
        >
          <p>{user.name} is logged out at once and cannot log in; API tokens are refused. Enabling takes it back.</p>
        </Question>
      )}
      {asked.value === "delete" && (
        <Question title={`Delete ${user.name}?`} yes="Delete" act={() => request("DELETE", address)} onClosed={closed}>
          <p>
            {user.name} is logged out at once, and their API tokens are revoked. What they did stays in the audit log.
            This cannot be undone.
          </p>
        </Question>
      )}
    </li>
  );
}

/** Second factor, where they come from, and when they were here. */
function about(user: User): string {
  const from = { local: "", oidc: "by OpenID Connect", proxy: "by a proxy" }[user.source];
  const last = user.last_login === null ? "never logged in" : `last login ${recent(user.last_login, minute.value)}`;
  return [user.second_factor && "second factor", from, last].filter(Boolean).join(" · ");
}

function Ask({ words, whom, onClick }: { words: string; whom: string; onClick: () => void }) {
  return (
    <button type="button" class={words === "Delete" ? "danger" : ""} onClick={onClick}>
      {words}
      <span class="hidden"> {whom}</span>
    </button>
  );
}
