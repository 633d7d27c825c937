// How often a family is sampled, in words. Pure.
import type { Family, FamilyConfig } from "../api/types.gen.ts";
import { duration } from "../format.ts";

/** `every 10 s`, `every 1 s, while somebody looks`, `off`. */
export function periodWords(family: Family, { enabled, interval_s }: FamilyConfig, sample_interval_s: number): string {
  const on = enabled ?? family.sampled !== "never";
  if (!on) return "off";
  const every = duration(Math.max(interval_s ?? family.period_s, sample_interval_s));
  return family.sampled === "watched" && enabled !== true ? `every ${every}, while somebody looks` : `every ${every}`;
}
