// The bar over charts: which range they show, and what changes it. All of it only changes the URL.
import type { ComponentChildren } from "preact";
import { bounds, type LiveWindow, liveWindow, PRESETS, type Window } from "../charts/window.ts";
import { duration, span } from "../format.ts";
import { known, live, now } from "../live/session.ts";
import { PauseIcon, PlayIcon } from "../shell/icons.tsx";
import { CustomRange } from "./custom.tsx";
import type { TimeView } from "./view.ts";
import "../style/time.css";

const NAMES: Record<string, string> = {
  "1m": "minute",
  "5m": "5 minutes",
  "15m": "15 minutes",
  "1h": "hour",
  "6h": "6 hours",
  "12h": "12 hours",
  "24h": "24 hours",
  "7d": "7 days",
  "30d": "30 days",
  "1y": "year",
};

interface RangeBarProps {
  view: TimeView;
  /** Whether it is about a host that may have told its own time zone. */
  ofHost?: boolean;
  /** What else the page puts in it. */
  children?: ComponentChildren;
}

export function RangeBar({ view, ofHost = false, children }: RangeBarProps) {
  const window = view.window.value;
  const following = window.kind === "live";
  return (
    <div class="range-bar">
      <h2 class={following ? "" : "held"}>{rangeWords(window)}</h2>
      <fieldset class="segments">
        <legend class="hidden">Time range</legend>
        {Object.keys(PRESETS).map((preset) => (
          <button
            key={preset}
            type="button"
            aria-pressed={following && window.preset === preset}
            aria-label={`${preset}, last ${lengthWords(liveWindow(preset))}`}
            onClick={() => view.pick(preset)}
          >
            {preset}
          </button>
        ))}
      </fieldset>
      <CustomRange view={view} ofHost={ofHost} />
      {children}
      <button
        type="button"
        class={following ? "" : "primary"}
        title={following ? "Hold the charts still (l)" : "Let the charts follow the present again (l)"}
        onClick={view.toggleLive}
      >
        {following ? <PauseIcon /> : <PlayIcon />}
        {following ? "Pause" : "Live"}
      </button>
    </div>
  );
}

const lengthWords = ({ preset, span_ms }: LiveWindow): string => NAMES[preset] ?? duration(span_ms / 1000);

/** `Last 15 minutes`, `Paused, 12:03 – 12:18`, `15 Nov, 12:00 – 13:00`. */
function rangeWords(window: Window): string {
  if (window.kind === "live") {
    const last = `Last ${lengthWords(window)}`;
    if (live.value) return last;
    return known.value ? `${last}, every few seconds` : `${last}, as last known`;
  }
  const { from, to } = bounds(window, 0);
  const range = span(from, to, now.peek());
  return window.paused ? `Paused, ${range}` : range;
}
