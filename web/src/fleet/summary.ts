// What a card says of a host, out of its latest values. Instances are never averaged: the fullest one speaks.
import type { Host, Values } from "../api/types.gen.ts";

export interface Extreme {
  instance: string;
  value: number;
}

export interface Summary {
  cpu: number | null;
  memory: number | null;
  /** Fullest file system. */
  space: Extreme | null;
  /** File system with the largest share of its inodes used. */
  inodes: Extreme | null;
  /** Busiest GPU. */
  gpu: Extreme | null;
  /** Bytes per second over all interfaces. */
  received: number | null;
  sent: number | null;
  loadPerCore: number | null;
}

/** The instance with the largest `metric` of `family`; null when none has a value. */
export function largest(values: Values, family: string, metric: string): Extreme | null {
  let best: Extreme | null = null;
  for (const [instance, metrics] of Object.entries(values[family] ?? {})) {
    const value = metrics[metric];
    if (value !== null && value !== undefined && (best === null || value > best.value)) best = { instance, value };
  }
  return best;
}

function sum(values: Values, family: string, metric: string): number | null {
  let total: number | null = null;
  for (const metrics of Object.values(values[family] ?? {})) {
    const value = metrics[metric];
    if (value !== null && value !== undefined) total = (total ?? 0) + value;
  }
  return total;
}

export function summarise(values: Values, cores: number): Summary {
  const load = values.cpu?.[""]?.load1 ?? null;
  return {
    cpu: values.cpu?.[""]?.total ?? null,
    memory: values.memory?.[""]?.used_percent ?? null,
    space: largest(values, "filesystem", "used_percent"),
    inodes: largest(values, "filesystem", "inodes_percent"),
    gpu: largest(values, "gpu", "utilisation"),
    received: sum(values, "network", "received"),
    sent: sum(values, "network", "sent"),
    loadPerCore: load !== null && cores > 0 ? load / cores : null,
  };
}

/** Received and sent together, as far as they are known. */
export function traffic({ received, sent }: Summary): number | null {
  return received === null && sent === null ? null : (received ?? 0) + (sent ?? 0);
}

/** Below this share, used inodes are nothing to look at. */
const INODES_PERCENT = 70;

/** What a card's fourth meter shows, beside CPU, memory and the fullest file system. */
export function fourthMeter(summary: Summary): "inodes" | "gpu" | "traffic" {
  if ((summary.inodes?.value ?? 0) > INODES_PERCENT) return "inodes";
  return summary.gpu ? "gpu" : "traffic";
}

/**
 * The one word a host stands under: the worst thing true of it, or `unknown` while nobody can tell. Of an archived host,
 * kept for its history, nothing more is expected.
 */
export type Standing = "critical" | "offline" | "warning" | "late" | "unknown" | "up" | "archived";

/** Worst first. */
export const STANDINGS: readonly Standing[] = ["critical", "offline", "warning", "late", "unknown", "up", "archived"];

/** Whether the values of a host that stands so are how it is now, as far as anybody knows. */
export const sends = (standing: Standing): boolean => standing !== "offline" && standing !== "archived";

/** `known`: whether what was heard last still says how hosts are. */
export function standing(state: Host["state"], alerts: Host["alerts"], known: boolean): Standing {
  if (state === "archived") return "archived";
  if (!known) return "unknown";
  if (state === "offline") return "offline";
  if (alerts.critical > 0) return "critical";
  if (alerts.warning > 0) return "warning";
  return state === "late" ? "late" : "up";
}
