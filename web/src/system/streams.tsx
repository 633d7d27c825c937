// The streams of the bus, and how full they are: what is full refuses what agents send, who keep it meanwhile.
import type { StreamFill } from "../api/types.gen.ts";
import { fixed, text } from "../format.ts";
import { base } from "../preferences.ts";

/** From here on it is worth a colour; the part "Disk" says so too. */
const HIGH_SHARE = 0.9;

export function Streams({ streams }: { streams: readonly StreamFill[] }) {
  return (
    <ul class="panel versions">
      {streams.map(({ name, bytes, most_bytes, messages }) => {
        const share = most_bytes > 0 ? Math.min(1, bytes / most_bytes) : 0;
        return (
          <li key={name} class="stream" data-stream={name}>
            <b>{name}</b>
            <svg
              class={`share ${share > HIGH_SHARE ? "high" : ""}`}
              viewBox="0 0 100 6"
              preserveAspectRatio="none"
              aria-hidden="true"
            >
              <rect width={100 * share} height="6" rx="1" />
            </svg>
            <span class={`n ${share > HIGH_SHARE ? "tone-warning" : ""}`}>
              {most_bytes > 0 ? `${fixed(100 * share, 1)}\u00a0%` : "no limit"}
            </span>
            <span class="muted">
              {text(bytes, "B", base())}
              {most_bytes > 0 && ` of ${text(most_bytes, "B", base())}`}, {fixed(messages, 0)} messages
            </span>
          </li>
        );
      })}
    </ul>
  );
}
