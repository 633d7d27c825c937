// Hosts and their latest values as comma-separated text. Pure.
import { OVERVIEW, unitOf } from "../api/catalogue.ts";
import type { Host, Values } from "../api/types.gen.ts";
import { reading } from "./readings.ts";

export interface Exported {
  host: Host;
  latest: Values;
  /** Unix milliseconds. */
  lastSample: number | null;
}

const FACTS = ["id", "label", "state", "tags", "last_sample", "os", "cores", "agent_version"];

/** One line a host; metrics have their unit in their heading and are empty where unknown. Times are UTC. */
export function csvOf(hosts: readonly Exported[]): string {
  const heads = [...FACTS, ...OVERVIEW.map((path) => [path, unitOf(path)].filter(Boolean).join(" "))];
  const lines = hosts.map(({ host, latest, lastSample }) => [
    host.id,
    host.label,
    host.state,
    host.tags.join(" "),
    lastSample === null ? "" : new Date(lastSample).toISOString(),
    host.facts.os,
    host.facts.cores,
    host.facts.agent_version,
    ...OVERVIEW.map((path) => reading(latest, path)?.value ?? ""),
  ]);
  return [heads, ...lines].map((line) => `${line.map(field).join()}\r\n`).join("");
}

/** Text that a spreadsheet would take for a formula begins with an apostrophe: what a host says of itself is not run. */
function field(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
