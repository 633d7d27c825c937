// Settings by type: what the field shows, what it makes of what is typed, what is wrong with it, and under which heading
// it stands. Pure.
import type { Setting } from "../api/types.gen.ts";
import { fixed } from "../format.ts";
import { numberFault, numberOf } from "../typed.ts";

interface Words {
  group: string;
  label: string;
  unit: string;
  /** The least and the most that the gateway takes; a test holds them against its own. */
  range?: readonly [least: number, most: number];
  whole?: boolean;
}

const WORDS: Record<string, Words> = {
  heartbeat_every_s: { group: "Notifications", label: "Dead man’s switch told every", unit: "s", range: [10, 86_400] },
  heartbeat_url: { group: "Notifications", label: "Dead man’s switch", unit: "" },
  dashboard_url: { group: "Notifications", label: "Dashboard address", unit: "" },
  raw_days: { group: "Storage", label: "Raw samples kept", unit: "days", range: [1, 3650], whole: true },
  minute_days: { group: "Storage", label: "Minute values kept", unit: "days", range: [1, 3650], whole: true },
  hour_days: { group: "Storage", label: "Hour values kept", unit: "days", range: [1, 36_500], whole: true },
  disk_free_percent: { group: "Storage", label: "Disk kept free", unit: "%", range: [0, 90] },
  database_gib: { group: "Storage", label: "Database at most", unit: "GiB", range: [0, 1_000_000] },
  host_down_default_s: { group: "Live view", label: "Offline after", unit: "s", range: [5, 86_400] },
  max_viewers: { group: "Live view", label: "Viewers at once", unit: "", range: [1, 10_000], whole: true },
  max_viewers_per_person: {
    group: "Live view",
    label: "Viewers of one person",
    unit: "",
    range: [1, 10_000],
    whole: true,
  },
  max_selections_per_person: {
    group: "Live view",
    label: "Selections of one person",
    unit: "",
    range: [1, 1000],
    whole: true,
  },
  session_idle_s: { group: "People", label: "Login ends unused after", unit: "s", range: [60, 31_622_400] },
  session_max_s: { group: "People", label: "Login ends after", unit: "s", range: [60, 31_622_400] },
  anonymous_viewer: { group: "People", label: "Everybody may read", unit: "" },
  audit_days: { group: "People", label: "Audit log kept", unit: "days", range: [1, 36_500], whole: true },
};

/** A key this dashboard has no words for is told by its own name; its suffix is the unit. */
export function wordsOf(key: string): Words {
  const known = WORDS[key];
  if (known) return known;
  const words = key.replaceAll("_", " ");
  const unit = { s: "s", days: "days", bytes: "B" }[key.slice(key.lastIndexOf("_") + 1)] ?? "";
  return { group: "More", label: words.charAt(0).toUpperCase() + words.slice(1), unit };
}

/** What may be typed and what applies by itself: `From 1 to 3,650 days. Default: 7 days.` */
export function boundsOf(setting: Setting): string {
  const { range, unit } = wordsOf(setting.key);
  const before = setting.default;
  const amount = (value: unknown) => {
    const text =
      typeof value === "number" ? value.toLocaleString(undefined, { maximumFractionDigits: 6 }) : String(value);
    return unit ? `${text}\u00a0${unit}` : text;
  };
  const words = { number: amount(before), boolean: before ? "on" : "off" }[typeof before as string];
  const fallback = setting.secret ? "" : `Default: ${words ?? (shown(kindOf(setting), before) || "empty")}.`;
  return [range && `From ${fixed(range[0], 0)} to ${amount(range[1])}.`, fallback].filter(Boolean).join(" ");
}

/** What can be known to be wrong with a typed text before the gateway is asked, in words that name the remedy. */
export function faultOf(setting: Setting, typed: string): string | null {
  const { range, whole, unit } = wordsOf(setting.key);
  if (setting.secret || kindOf(setting) !== "number") return null;
  const fault = numberFault(typed);
  if (fault) return fault;
  const value = numberOf(typed);
  if (whole && !Number.isInteger(value)) return `Type a whole number, such as ${Math.round(value)}.`;
  if (!range || (value >= range[0] && value <= range[1])) return null;
  return `Type a number from ${fixed(range[0], 0)} to ${fixed(range[1], 0)}${unit && `\u00a0${unit}`}.`;
}

/** The gateway's words with the labels of this page in place of its keys. */
export const labelled = (reason: string): string =>
  reason.replace(/\b[a-z]+(?:_[a-z]+)+\b/g, (key) => (WORDS[key] ? `“${WORDS[key].label}”` : key));

/** Settings under their headings, both in the order of the API. */
export function grouped(settings: readonly Setting[]): { name: string; settings: Setting[] }[] {
  const groups: { name: string; settings: Setting[] }[] = [];
  for (const setting of settings) {
    const name = wordsOf(setting.key).group;
    let group = groups.find((one) => one.name === name);
    if (!group) {
      group = { name, settings: [] };
      groups.push(group);
    }
    group.settings.push(setting);
  }
  return groups;
}

/** Under which name an address leads to a heading: `/settings#live-view`. */
export const groupId = (name: string): string => name.toLowerCase().replaceAll(" ", "-");

/** The headings that there are for known settings. */
export const GROUPS: readonly string[] = [...new Set(Object.values(WORDS).map(({ group }) => group))];

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
