// Sonde's own parts in words, and its agents by version. Pure.
import type { HealthStatus, Heartbeat, Host } from "../api/types.gen.ts";
import { age, duration, fixed } from "../format.ts";

export const STATUS_WORDS: Record<HealthStatus, string> = {
  ok: "OK",
  degraded: "Degraded",
  down: "Down",
  unknown: "Unknown",
};

/** As which state of a host it is drawn. */
export const STATUS_STANDING = { ok: "up", degraded: "warning", down: "critical", unknown: "unknown" } as const;

/** What the whole is said to be, in a sentence. */
export const OVERALL: Record<HealthStatus, string> = {
  ok: "All parts do their work.",
  degraded: "Sonde works, but not all of it.",
  down: "A part that all others depend on is not responding.",
  unknown: "The state of Sonde is unknown.",
};

/** `Ingest`, of the name `ingest`. */
export const partWord = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** Messages that wait for a service, over all streams. */
export const waiting = ({ work }: Heartbeat): number =>
  Object.values(work.behind).reduce((sum, count) => sum + count, 0);

/** What is measured of an instance: short names and values. */
export function measures(beat: Heartbeat): [name: string, value: string][] {
  const { work } = beat;
  const found: [string, string][] = [];
  if (beat.standby) found.push(["Stands by", "yes"]);
  if (work.lag_s !== null) found.push(["Lag", lagWords(work.lag_s)]);
  if (Object.keys(work.behind).length > 0) found.push(["Waiting", `${fixed(waiting(beat), 0)} messages`]);
  if (work.viewers !== null) found.push(["Viewers", fixed(work.viewers, 0)]);
  if (work.last_run !== null) found.push(["Last pruned", `${age(beat.time - work.last_run)} ago`]);
  if (work.told_s) found.push(["Notification delay (median)", duration(work.told_s.median)]);
  found.push(["Errors in 1 min", fixed(beat.errors_last_minute, 0)]);
  found.push(["Up", duration(beat.uptime_s)]);
  return found;
}

const lagWords = (seconds: number): string => (seconds < 1 ? `${fixed(1000 * seconds, 0)}\u00a0ms` : duration(seconds));

export interface Versioned {
  /** Empty where the agent has not told yet. */
  version: string;
  hosts: readonly string[];
  /** Whether they are to be updated: their version is another than the gateway's. */
  outdated: boolean;
}

const numbers = new Intl.Collator("en", { numeric: true });

/** The hosts by the version of their agents, newest first; those that told none last. Archived ones have no agent. */
export function versionsOf(hosts: readonly Host[]): Versioned[] {
  const byVersion = new Map<string, { hosts: string[]; outdated: boolean }>();
  for (const host of hosts) {
    if (host.state === "archived") continue;
    const { agent_version: version } = host.facts;
    const found = byVersion.get(version) ?? { hosts: [], outdated: host.update === "other" };
    found.hosts.push(host.id);
    byVersion.set(version, found);
  }
  return [...byVersion]
    .map(([version, { hosts: named, outdated }]) => ({ version, hosts: named, outdated }))
    .sort((a, b) => Number(a.version === "") - Number(b.version === "") || numbers.compare(b.version, a.version));
}
