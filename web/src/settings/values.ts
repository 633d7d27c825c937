// Settings by type: what the field shows, what it makes of what is typed, and under which heading it stands. Pure.
import type { Setting } from "../api/types.gen.ts";

const GROUPS: Record<string, string> = {
  slack_webhook_url: "Notifications",
  dashboard_url: "Notifications",
  raw_days: "Storage",
  minute_days: "Storage",
  hour_days: "Storage",
  disk_free_percent: "Storage",
  database_gib: "Storage",
  host_down_default_s: "Live view",
  max_viewers: "Live view",
};
const LABELS: Record<string, [label: string, unit: string]> = {
  slack_webhook_url: ["Slack webhook", ""],
  dashboard_url: ["Dashboard address", ""],
  raw_days: ["Raw samples kept", "days"],
  minute_days: ["Minute values kept", "days"],
  hour_days: ["Hour values kept", "days"],
  disk_free_percent: ["Disk kept free", "%"],
  database_gib: ["Database at most", "GiB"],
  host_down_default_s: ["Offline after", "s"],
  max_viewers: ["Viewers at once", ""],
};

/** A label and a unit. A key this dashboard has no words for is told by its own name; its suffix is the unit. */
export function wordsOf(key: string): { label: string; unit: string } {
  const known = LABELS[key];
  if (known) return { label: known[0], unit: known[1] };
  const words = key.replaceAll("_", " ");
  const unit = { s: "s", days: "days", bytes: "B" }[key.slice(key.lastIndexOf("_") + 1)] ?? "";
  return { label: words.charAt(0).toUpperCase() + words.slice(1), unit };
}

/** Settings under their headings, both in the order of the API. */
export function grouped(settings: readonly Setting[]): { name: string; settings: Setting[] }[] {
  const groups: { name: string; settings: Setting[] }[] = [];
  for (const setting of settings) {
    const name = GROUPS[setting.key] ?? "More";
    let group = groups.find((one) => one.name === name);
    if (!group) {
      group = { name, settings: [] };
      groups.push(group);
    }
    group.settings.push(setting);
  }
  return groups;
}

export type Kind = "number" | "boolean" | "text" | "json";

/** The kind of field a setting has, told by its default. */
export function kindOf(setting: Setting): Kind {
  const type = typeof setting.default;
  if (type === "number" || type === "boolean") return type;
  return type === "string" ? "text" : "json";
}

/** The text in the field; booleans are `true` and `false`. */
export const shown = (kind: Kind, value: unknown): string =>
  kind === "json" ? JSON.stringify(value) : String(value ?? "");

/** What the typed text stands for. Text that is no value of the kind goes as it is: the API says what is wrong with it. */
export function parsed(kind: Kind, typed: string): unknown {
  const text = typed.trim();
  if (kind === "boolean") return text === "true";
  if (kind === "number") return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  if (kind === "text") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
