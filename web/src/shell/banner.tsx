// Says that what is on the page is not live, since when, why, and what happens next.
import { age } from "../format.ts";
import { connection, interrupted, now } from "../live/session.ts";

export function Banner() {
  const state = connection.value;
  if (!interrupted.value || state.kind !== "lost") return null;
  // Read so that the seconds count; the times themselves are this browser's.
  now.value;
  const wait_ms = state.retryAt - Date.now();
  return (
    <div class="banner" role="status">
      <strong>Not live for {age(Date.now() - state.since)}</strong>
      <span>
        {sentence(state.reason)} What you see is the last state known.{" "}
        {wait_ms > 500 ? `Next attempt in ${age(wait_ms + 500)}.` : "Trying now."}
      </span>
    </div>
  );
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
