// Says that what is on the page is not live: since when, why, what still works, and what happens next; and that the page is of
// another version than the gateway.
import { signal } from "@preact/signals";
import { age, duration } from "../format.ts";
import type { StreamState } from "../live/messages.ts";
import { connection, interrupted, now } from "../live/session.ts";

/** Whether the gateway serves another dashboard than the one in this tab. */
export const upgraded = signal(false);

export function Banner() {
  const state = connection.value;
  return (
    <div class="banner-place" role="status">
      {interrupted.value && <Words state={state} />}
      {upgraded.value && (
        <div class="banner">
          <strong>Sonde was upgraded</strong>
          <span>This page is of the version before.</span>
          <button type="button" onClick={() => location.reload()}>
            Reload
          </button>
        </div>
      )}
    </div>
  );
}

function Words({ state }: { state: StreamState }) {
  if (state.kind === "live")
    return (
      <div class="banner">
        <strong>
          Behind<span aria-hidden="true"> by {age(state.behind_ms)}</span>
        </strong>
        <span>Samples arrive, but later than they should: the way to the gateway is slow.</span>
      </div>
    );
  if (state.kind !== "lost") return null;
  // Read so that the seconds count; the times themselves are this browser's. Screen readers are not told every second.
  now.value;
  const wait_ms = state.retryAt - Date.now();
  const next = wait_ms > 500 ? `Next attempt in ${age(wait_ms + 500)}.` : "Trying now.";
  return (
    <div class="banner">
      <strong>
        Not live<span aria-hidden="true"> for {age(Date.now() - state.since)}</span>
      </strong>
      <span>
        {sentence(state.reason)} {stillWorks(state)} <span aria-hidden="true">{next}</span>
      </span>
    </div>
  );
}

function stillWorks(state: Extract<StreamState, { kind: "lost" }>): string {
  if (state.fresh && state.poll_ms !== null)
    return `Values are fetched every ${duration(state.poll_ms / 1000)} instead; history, alerts and settings work.`;
  if (state.fresh) return "What you see is seconds old.";
  return "How hosts are now is not known. What you see is what was known last.";
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
