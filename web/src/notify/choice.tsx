// Whether this browser tells of alerts by notifications. It asks for the permission when somebody wants them, and never before.
import { useSignal } from "@preact/signals";
import { notifyLevel } from "../preferences.ts";
import type { Level } from "./news.ts";

const OPTIONS: Record<Level, string> = { off: "No", critical: "Critical alerts", all: "All alerts" };

/** Why there are none; empty where there can be. */
function obstacle(): string {
  if (!("Notification" in globalThis)) {
    return isSecureContext
      ? "This browser does not support notifications."
      : "Notifications need HTTPS, or the gateway's own machine.";
  }
  return Notification.permission === "denied"
    ? "The browser forbids them for this site; its settings for the site change that."
    : "";
}

export function NotifyChoice() {
  const why = useSignal(obstacle());
  async function choose(level: Level): Promise<void> {
    if (level !== "off" && why.value === "" && Notification.permission === "default")
      await Notification.requestPermission();
    why.value = obstacle();
    // Whoever closed the question without an answer is asked again the next time.
    const may = why.value === "" && Notification.permission === "granted";
    notifyLevel.value = level === "off" || may ? level : "off";
  }
  return (
    <div class="setting">
      <label for="notify">Notifications of this browser</label>
      <div class="control">
        <select
          id="notify"
          value={why.value === "" ? notifyLevel.value : "off"}
          disabled={why.value !== ""}
          aria-describedby="notify-about"
          onChange={(event) => {
            const select = event.currentTarget;
            void choose(select.value as Level).then(() => {
              select.value = notifyLevel.value;
            });
          }}
        >
          {(Object.keys(OPTIONS) as Level[]).map((one) => (
            <option key={one} value={one}>
              {OPTIONS[one]}
            </option>
          ))}
        </select>
      </div>
      <p class="hint" id="notify-about">
        {why.value ||
          "Of new alerts that no silence covers, while a tab is open; up to a minute late while none is in front, and not at all while the browser has put its tabs to sleep, as phones do. Channels always reach you. Kept in this browser."}
      </p>
    </div>
  );
}
