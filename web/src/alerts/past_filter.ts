// Which incidents of the past are shown: in the address of the page, and as the API is asked for them. Pure.
export interface Filter {
  /** In the names of rule, host and instance, or in the metric. */
  find: string;
  level: "" | "warning" | "critical";
  state: "" | "open" | "closed";
  /** Whether somebody has acknowledged it. */
  seen: "" | "yes" | "no";
  tag: string;
  /** How far back, as one of `SINCE`. */
  since: string;
}

/** How far back one may look, as the API has it after a minus. */
export const SINCE: Readonly<Record<string, string>> = {
  "1d": "the last day",
  "7d": "the last 7 days",
  "30d": "the last 30 days",
};

const NAMES = ["find", "level", "state", "seen", "tag", "since"] as const;
const CHOICES: Partial<Record<keyof Filter, readonly string[]>> = {
  level: ["warning", "critical"],
  state: ["open", "closed"],
  seen: ["yes", "no"],
  since: Object.keys(SINCE),
};

/** What an address asks for; what makes no sense there is left out. */
export function filterFrom(query: URLSearchParams): Filter {
  const entries = NAMES.map((name) => {
    const value = query.get(name)?.trim() ?? "";
    const choices = CHOICES[name];
    return [name, choices && !choices.includes(value) ? "" : value];
  });
  return Object.fromEntries(entries) as Filter;
}

export const filters = (filter: Filter): boolean => NAMES.some((name) => filter[name] !== "");

/** Everything, as entries of the address. */
export const ALL_PAST: Record<keyof Filter, null> = {
  find: null,
  level: null,
  state: null,
  seen: null,
  tag: null,
  since: null,
};

/** The filter as the API has it. */
export function parameters({ find, level, state, seen, tag, since }: Filter): URLSearchParams {
  const asked = new URLSearchParams();
  if (find) asked.set("q", find);
  if (level) asked.set("severity", level);
  if (state) asked.set("state", state);
  if (seen) asked.set("acknowledged", String(seen === "yes"));
  if (tag) asked.set("tag", tag);
  if (since) asked.set("from", `-${since}`);
  return asked;
}
