// What somebody types of the settings of a host's agent, and what the gateway gets. Pure.
import { CATALOGUE } from "../api/catalogue.ts";
import type { AgentConfig, FamilyConfig } from "../api/types.gen.ts";

/** As the fleet's settings say, or on, or off. */
export type Switch = "" | "on" | "off";

export interface FamilyDraft {
  enabled: Switch;
  interval_s: string;
  /** Patterns with spaces between them. */
  include: string;
  exclude: string;
}

export interface ConfigDraft {
  sample_interval_s: string;
  batch_interval_s: string;
  /** Whether the host has a list of directories of its own. */
  own_directories: boolean;
  /** One per line. */
  directories: string;
  families: Record<string, FamilyDraft>;
}

const told = (value: number | null | undefined): string => (value === null || value === undefined ? "" : String(value));

const familyDraft = ({ enabled, interval_s, include, exclude }: FamilyConfig): FamilyDraft => ({
  enabled: enabled === true ? "on" : enabled === false ? "off" : "",
  interval_s: told(interval_s),
  include: include?.join(" ") ?? "",
  exclude: exclude?.join(" ") ?? "",
});

export function draftOf({ config }: { config: AgentConfig }): ConfigDraft {
  return {
    sample_interval_s: told(config.sample_interval_s),
    batch_interval_s: told(config.batch_interval_s),
    own_directories: Array.isArray(config.directories),
    directories: config.directories?.join("\n") ?? "",
    families: Object.fromEntries(
      CATALOGUE.map(({ name }) => [name, familyDraft(config.families?.[name] ?? {})] as const),
    ),
  };
}

const number = (text: string): number | null => (text.trim() ? Number(text.trim().replace(",", ".")) : null);
const words = (text: string, between: RegExp): string[] => text.split(between).filter(Boolean);

/** What is stored of it: what says nothing is left out. */
export function bodyOf(draft: ConfigDraft): AgentConfig {
  const config: AgentConfig = {};
  const sample = number(draft.sample_interval_s);
  const batch = number(draft.batch_interval_s);
  if (sample !== null) config.sample_interval_s = sample;
  if (batch !== null) config.batch_interval_s = batch;
  if (draft.own_directories) config.directories = words(draft.directories, /\s*\n\s*/).map((one) => one.trim());
  const families: Record<string, FamilyConfig> = {};
  for (const [name, { enabled, interval_s, include, exclude }] of Object.entries(draft.families)) {
    const family: FamilyConfig = {};
    if (enabled) family.enabled = enabled === "on";
    const every = number(interval_s);
    if (every !== null) family.interval_s = every;
    if (include.trim()) family.include = words(include, /\s+/);
    if (exclude.trim()) family.exclude = words(exclude, /\s+/);
    if (Object.keys(family).length > 0) families[name] = family;
  }
  if (Object.keys(families).length > 0) config.families = families;
  return config;
}

const NUMBER = /^\d+([.,]\d+)?$/;

/** What is wrong without asking the gateway, by its names of the fields. */
export function faultsOf(draft: ConfigDraft): Record<string, string> {
  const faults: Record<string, string> = {};
  const seconds = (field: string, text: string) => {
    if (text.trim() && !NUMBER.test(text.trim())) faults[field] = "must be a number of seconds, such as 1 or 0.5";
  };
  seconds("sample_interval_s", draft.sample_interval_s);
  seconds("batch_interval_s", draft.batch_interval_s);
  for (const [name, { interval_s }] of Object.entries(draft.families))
    seconds(`families.${name}.interval_s`, interval_s);
  return faults;
}
