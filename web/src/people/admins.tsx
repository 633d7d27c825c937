// The frame of the pages that only admins have: people, audit log, viewers.
import type { ComponentChildren } from "preact";
import { lacking } from "../login/me.ts";
import { path } from "../router.ts";
import { Nothing } from "../shell/states.tsx";
import "../style/people.css";

const PAGES: [string, string][] = [
  ["/people", "People"],
  ["/audit", "Audit log"],
  ["/viewers", "Viewers"],
];

export function AdminOnly({ title, children }: { title: string; children: ComponentChildren }) {
  const reason = lacking("admin");
  return (
    <div class="people">
      <header class="page-head">
        <h1>{title}</h1>
        {reason === null && (
          <nav class="tabs" aria-label="Administration">
            {PAGES.map(([href, words]) => (
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
