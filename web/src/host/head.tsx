// A host's name, state and facts.
import { standingOf } from "../alerts/data.ts";
import type { Loader } from "../api/loading.ts";
import type { HostIdentity } from "../api/types.gen.ts";
import { type Window, windowQuery } from "../charts/window.ts";
import { Age } from "../fleet/age.tsx";
import type { Entry } from "../live/store.ts";
import { fleetHref, setQuery } from "../router.ts";
import { BackIcon, STANDING_WORDS, StandingIcon } from "../shell/icons.tsx";
import { Facts } from "./facts.tsx";
import { Saying } from "./saying.tsx";
import { Step } from "./step.tsx";

/** What is shown around the last sample of a host that went away. */
const BEFORE_MS = 840_000;
const AFTER_MS = 60_000;

interface HeadProps {
  entry: Entry;
  window: Window;
  identity: Loader<HostIdentity | undefined>;
}

export function Head({ entry, window, identity }: HeadProps) {
  const standing = standingOf(entry);
  entry.tick.value;
  const { lastSample } = entry;
  return (
    <div class="host-head">
      <div class="who">
        <a class="back" href={fleetHref()} title="Back to the fleet">
          <BackIcon />
          <span class="hidden">Fleet</span>
        </a>
        <h1>{entry.host.value.label || entry.id}</h1>
        <span class={`state tone-${standing}`}>
          <StandingIcon standing={standing} />
          {STANDING_WORDS[standing]}
        </span>
        {lastSample === null ? (
          <span class="muted">no sample since the gateway was started</span>
        ) : (
          standing !== "archived" && <Age entry={entry} />
        )}
        <Saying entry={entry} />
        {standing === "offline" && lastSample !== null && (
          <button type="button" class="quiet" onClick={() => setQuery(windowQuery(around(lastSample, window)))}>
            See its last samples
          </button>
        )}
        <Step id={entry.id} />
      </div>
      <Facts entry={entry} identity={identity} />
    </div>
  );
}

const around = (time: number, { preset }: Window): Window => ({
  kind: "fixed",
  from: time - BEFORE_MS,
  to: time + AFTER_MS,
  preset,
  paused: false,
});
