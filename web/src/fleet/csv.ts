// Hosts and their latest values as comma-separated text. Pure.
import { OVERVIEW, unitOf } from "../api/catalogue.ts";
import type { Host } from "../api/types.gen.ts";
import { reading } from "./readings.ts";

const FACTS = ["id", "label", "state", "tags", "last_sample", "os", "cores", "agent_version"];

/** What is exported of every host: the overview, and behind it what else is `shown`. */
export const exported = (shown: readonly string[]): readonly string[] => [...new Set([...OVERVIEW, ...shown])];

/** One line a host; metrics have their unit in their heading and are empty where unknown. Times are UTC. */
export function csvOf(hosts: readonly Host[], metrics: readonly string[]): string {
  const heads = [...FACTS, ...metrics.map((path) => [path, unitOf(path)].filter(Boolean).join(" "))];
  const lines = hosts.map(({ id, label, state, tags, last_sample, facts, latest }) => [
    id,
    label,
    state,
    tags.join(" "),
    last_sample === null ? "" : new Date(last_sample).toISOString(),
    facts.os,
    facts.cores,
    facts.agent_version,
    ...metrics.map((path) => reading(latest, path)?.value ?? ""),
  ]);
  return [heads, ...lines].map((line) => `${line.map(field).join()}\r\n`).join("");
}

/** `hosts-2026-11-23T1205Z.csv`; `now` in Unix milliseconds. */
export const fileName = (now: number): string =>
  `hosts-${new Date(now).toISOString().slice(0, 16).replaceAll(":", "")}Z.csv`;

/** Text that a spreadsheet would take for a formula begins with an apostrophe: what a host says of itself is not run. */
function field(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
