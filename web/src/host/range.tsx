// The range picker and the live button: both only change the URL.
import type { Signal } from "@preact/signals";
import { bounds, DEFAULT_PRESET, PRESETS, type Window, windowQuery } from "../charts/window.ts";
import { span } from "../format.ts";
import { setQuery } from "../router.ts";
import { PauseIcon, PlayIcon } from "../shell/icons.tsx";

export function RangePicker({
  window,
  now,
  lastPreset,
}: {
  window: Window;
  now: () => number;
  lastPreset: Signal<string>;
}) {
  const live = window.kind === "live";
  const pick = (preset: string) => {
    lastPreset.value = preset;
    setQuery(windowQuery({ kind: "live", preset, span_ms: PRESETS[preset] as number }));
  };
  return (
    <div class="range">
      {window.kind === "fixed" && <span class="span">{span(window.from, window.to)}</span>}
      <fieldset class="segments">
        <legend class="hidden">Time range</legend>
        {Object.keys(PRESETS).map((preset) => (
          <button
            key={preset}
            type="button"
            aria-pressed={live && window.preset === preset}
            onClick={() => pick(preset)}
          >
            {preset}
          </button>
        ))}
      </fieldset>
      <button
        type="button"
        class={live ? "" : "primary"}
        title={live ? "Hold the charts still (l)" : "Let the charts follow the present again (l)"}
        onClick={() => toggleLive(window, now(), lastPreset.value)}
      >
        {live ? <PauseIcon /> : <PlayIcon />}
        {live ? "Pause" : "Live"}
      </button>
    </div>
  );
}

/** Pausing holds what is in view; going live takes up the preset used last. */
export function toggleLive(window: Window, now: number, lastPreset: string): void {
  if (window.kind === "live") setQuery(windowQuery({ kind: "fixed", ...bounds(window, now) }));
  else {
    const preset = Object.hasOwn(PRESETS, lastPreset) ? lastPreset : DEFAULT_PRESET;
    setQuery(windowQuery({ kind: "live", preset, span_ms: PRESETS[preset] as number }));
  }
}
