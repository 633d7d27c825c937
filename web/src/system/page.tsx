// Sonde itself: its parts and how far they are with their work, what it stores, who watches, and the agents.

import { age } from "../format.ts";
import { now, watching } from "../live/session.ts";
import { lacking } from "../login/me.ts";
import { Loaded } from "../shell/loaded.tsx";
import { Nothing } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { Watching } from "../viewers/page.tsx";
import { Agents } from "./agents.tsx";
import { useHealth } from "./data.ts";
import { Parts, StatusWord } from "./parts.tsx";
import { Storage } from "./storage_section.tsx";
import { Streams } from "./streams.tsx";
import { OVERALL } from "./words.ts";
import "../style/people.css";
import "../style/system.css";

/** Numbers older than this are told as what they are. */
const STALE_MS = 20_000;

export function SystemPage() {
  useTitle("System");
  const health = useHealth();
  const told = health.state.value.value;
  return (
    <div class="system">
      <header class="page-head">
        <h1>System</h1>
        {told && (
          <p class="overall">
            <StatusWord status={told.status} />
            {OVERALL[told.status]} <small>Version {told.version}</small>
            <Checked at={told.time} />
          </p>
        )}
      </header>
      <section aria-label="Parts">
        <Loaded from={health} what="The state of Sonde">
          {({ components }) => <Parts parts={components} />}
        </Loaded>
      </section>
      {told && told.streams.length > 0 && (
        <section aria-labelledby="streams">
          <h2 id="streams">Streams</h2>
          <Streams streams={told.streams} />
        </section>
      )}
      <section aria-labelledby="storage">
        <h2 id="storage">Storage</h2>
        <Storage />
      </section>
      <section aria-labelledby="agents">
        <h2 id="agents">Agents by version</h2>
        <Agents />
      </section>
      <section aria-labelledby="watching">
        <h2 id="watching">Viewers{watching.value !== null && <small> {watching.value} at the moment</small>}</h2>
        <Viewers />
      </section>
    </div>
  );
}

function Checked({ at }: { at: number }) {
  const old_ms = now.value - at;
  return old_ms > STALE_MS ? <small class="badge stale tone-warning">as of {age(old_ms)} ago</small> : null;
}

function Viewers() {
  const reason = lacking("operator");
  return reason === null ? <Watching /> : <Nothing>Who they are: {reason}</Nothing>;
}
