// The frame of the pages that not everybody has: people, audit log, viewers.
import type { ComponentChildren } from "preact";
import type { Role } from "../api/types.gen.ts";
import { lacking } from "../login/me.ts";
import { path } from "../router.ts";
import { Nothing } from "../shell/states.tsx";
import { RESTRICTED } from "./restricted_pages.ts";
import "../style/people.css";

interface RestrictedProps {
  title: string;
  needs: Role;
  children: ComponentChildren;
}

export function Restricted({ title, needs, children }: RestrictedProps) {
  const reason = lacking(needs);
  const open = RESTRICTED.filter(([, , needed]) => lacking(needed) === null);
  return (
    <div class="people">
      <header class="page-head">
        <h1>{title}</h1>
        {open.length > 1 && (
          <nav class="tabs" aria-label="Administration">
            {open.map(([href, words]) => (
              <a key={href} href={href} aria-current={path.value === href ? "page" : undefined}>
                {words}
              </a>
            ))}
          </nav>
        )}
      </header>
      {reason === null ? children : <Nothing>{reason}</Nothing>}
    </div>
  );
}
