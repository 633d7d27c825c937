// The agents of this fleet by their version.
import { untracked, useComputed, useSignal } from "@preact/signals";
import { fleet, now } from "../live/session.ts";
import { Nothing } from "../shell/states.tsx";
import { type Versioned, versionsOf } from "./words.ts";

/** More hosts of a version are counted. */
const NAMED = 200;

export function Agents() {
  // Once a second, and only when there was news: of thousands of hosts some change in every frame.
  const news = useComputed(() => {
    now.value;
    return untracked(() => fleet.news.value);
  });
  const versions = useComputed(() => {
    news.value;
    return versionsOf(fleet.ids.value.flatMap((id) => fleet.entries.get(id)?.host.peek() ?? []));
  });
  const most = Math.max(1, ...versions.value.map((one) => one.hosts.length));
  if (versions.value.length === 0) return <Nothing>No host has an agent yet.</Nothing>;
  return (
    <ul class="panel versions">
      {versions.value.map((one) => (
        <li key={one.version} data-version={one.version}>
          <Version of={one} share={one.hosts.length / most} />
        </li>
      ))}
    </ul>
  );
}

function Version({ of: { version, hosts, outdated }, share }: { of: Versioned; share: number }) {
  const open = useSignal(false);
  return (
    <details
      onToggle={({ currentTarget }) => {
        open.value = currentTarget.open;
      }}
    >
      <summary>
        <b>{version || "Not told"}</b>
        <svg class="share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
          <rect width={100 * share} height="6" rx="1" />
        </svg>
        <span class="n">
          {hosts.length} {hosts.length === 1 ? "host" : "hosts"}
        </span>
        <span class={outdated ? "tone-warning" : "muted"}>
          {version === "" ? "" : outdated ? "Not the gateway's version" : "As the gateway"}
        </span>
      </summary>
      {open.value && (
        <p class="named">
          {hosts.slice(0, NAMED).map((id) => (
            <a key={id} href={`/hosts/${encodeURIComponent(id)}`}>
              {id}
            </a>
          ))}
          {hosts.length > NAMED && <span class="muted">and {hosts.length - NAMED} more</span>}
        </p>
      )}
    </details>
  );
}
