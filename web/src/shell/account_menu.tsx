// Who is logged in, and what is theirs: a small menu at the end of the header.
import { useRef } from "preact/hooks";
import { reasonOf } from "../api/client.ts";
import type { Role } from "../api/types.gen.ts";
import { lacking, leave, me, wanted } from "../login/me.ts";
import { RESTRICTED } from "../people/restricted_pages.ts";
import { PAGE_NAMES } from "../places.ts";
import { path } from "../router.ts";
import { PersonIcon } from "./icons.tsx";
import { useSending } from "./sending.ts";

/** Pages with their names, and the role that each needs. */
const PAGES: [string, string, Role][] = [["/account", PAGE_NAMES["/account"], "viewer"], ...RESTRICTED];

export function AccountMenu() {
  const who = me.value;
  if (who === null) return <span class="account-menu" />;
  if (who.by === "anonymous" || who.by === "nobody")
    return (
      <button
        type="button"
        class="quiet account-menu"
        onClick={() => {
          wanted.value = true;
        }}
      >
        <PersonIcon />
        Log in
      </button>
    );
  return <Menu name={who.name} role={who.role ?? "viewer"} ends={who.by === "session"} />;
}

interface MenuProps {
  name: string;
  role: string;
  /** Whether there is a session to end. */
  ends: boolean;
}

function Menu({ name, role, ends }: MenuProps) {
  const menu = useRef<HTMLDivElement>(null);
  const { busy, failure, send } = useSending();
  return (
    <>
      <button
        type="button"
        class="quiet account-menu"
        popovertarget="account-menu"
        aria-label={`${name} account`}
        title={`${name}, ${role}`}
      >
        <PersonIcon />
        <span class="wide">{name}</span>
      </button>
      <div ref={menu} id="account-menu" class="account-popover panel" popover="auto">
        <p>
          <b>{name}</b>
          <span class="muted">{role}</span>
        </p>
        <nav aria-label="Account">
          {PAGES.filter(([, , needs]) => lacking(needs) === null).map(([href, words]) => (
            <a
              key={href}
              href={href}
              aria-current={path.value === href ? "page" : undefined}
              onClick={() => menu.current?.hidePopover()}
            >
              {words}
            </a>
          ))}
        </nav>
        {failure && (
          <p class="error" role="alert">
            {reasonOf(failure)}
          </p>
        )}
        {ends && (
          <button type="button" class="quiet" onClick={() => void send(leave)}>
            {busy ? "One moment …" : "Log out"}
          </button>
        )}
      </div>
    </>
  );
}
