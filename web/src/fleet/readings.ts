// One number for a metric of a host, where there is no room for all of its instances. They are never averaged: the largest
// one speaks, and what flows (bytes per second) is added up. Pure.
import { metricOf, unitOf } from "../api/catalogue.ts";
import type { Values } from "../api/types.gen.ts";
import { type Extreme, largest } from "./summary.ts";

/** Whether instances of a metric are added up. */
export const isSummed = (path: string): boolean => unitOf(path) === "B/s";

/** What `path` says of a host: null when no instance has a value. The instance is empty where several are added up. */
export function reading(values: Values, path: string): Extreme | null {
  const [family = "", metric = ""] = path.split(".");
  if (!isSummed(path)) return largest(values, family, metric);
  let total: number | null = null;
  for (const metrics of Object.values(values[family] ?? {})) {
    const value = metrics[metric];
    if (value !== null && value !== undefined) total = (total ?? 0) + value;
  }
  return total === null ? null : { instance: "", value: total };
}

/** Of several instances, which one is shown, for a title: `/srv`, `all of them added up`; empty where there is one. */
export function speaker(path: string, { instance }: Extreme): string {
  if (isSummed(path)) return "all of them added up";
  return metricOf(path)?.family.instance ? instance : "";
}
