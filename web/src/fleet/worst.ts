// How near a host is to an alert, for "worst first": by the value that is nearest to its rule's threshold, and held so that
// hosts do not change places with every sample. Pure.
import { type Thresholds, thresholdsFor } from "../alerts/thresholds.ts";
import type { Rule, Values } from "../api/types.gen.ts";

/** Below this share of a threshold a value is far from it, and says nothing about which host is worse. */
export const FAR = 0.5;
/** How far a host's nearness must move before its place is looked at again. */
export const SLACK = 0.05;

/**
 * Where `value` stands: 0 far away, 1 at the first threshold, 2 at the second, and at most 2. Null without a threshold, and
 * where a share of it means nothing.
 */
export function nearness({ warning, critical, comparison }: Thresholds, value: number): number | null {
  const first = warning ?? critical;
  if (first === null) return null;
  if (comparison === "above" ? value > first : value < first) {
    if (warning === null || critical === null || warning === critical) return warning === null ? 2 : 1;
    return 1 + Math.min(1, Math.max(0, (value - warning) / (critical - warning)));
  }
  const share = comparison === "above" ? value / first : first / value;
  if (!Number.isFinite(share) || first <= 0 || share < 0) return null;
  return Math.min(share, 1);
}

/** The rules about one metric. */
export interface Watched {
  readonly path: string;
  readonly family: string;
  readonly metric: string;
  readonly rules: readonly Rule[];
  /** What every value is held against, of whichever host and instance; undefined where the rules tell them apart. */
  readonly same: Thresholds | null | undefined;
}

const isForAll = ({ host, instance, not_instances }: Rule): boolean =>
  host === "*" && instance === "*" && not_instances.length === 0;

/** Rules by the metric that they are about: those that have none are not asked at all. */
export function byMetric(rules: readonly Rule[]): readonly Watched[] {
  const found = new Map<string, Rule[]>();
  for (const rule of rules) {
    const others = found.get(rule.metric);
    if (others) others.push(rule);
    else found.set(rule.metric, [rule]);
  }
  return [...found].map(([path, some]) => {
    const [family = "", metric = ""] = path.split(".");
    const same = some.every(isForAll) ? thresholdsFor(some, "", path, "") : undefined;
    return { path, family, metric, rules: some, same };
  });
}

/** The largest nearness of all of a host's latest values; 0 when none has a threshold. */
export function nearest(watched: readonly Watched[], host: string, latest: Values): number {
  let most = 0;
  for (const { path, family, metric, rules, same } of watched) {
    const instances = latest[family];
    // Without an array of them: this is done for all values of all hosts in one go.
    for (const instance in instances) {
      const value = instances[instance]?.[metric];
      if (value === null || value === undefined) continue;
      const thresholds = same === undefined ? thresholdsFor(rules, host, path, instance) : same;
      const near = thresholds && nearness(thresholds, value);
      if (near !== null && near > most) most = near;
    }
  }
  return most;
}

/** The nearness that a host is placed by, given the one it was placed by before: 0 while it is far from any alert. */
export function held(before: number | undefined, now: number): number {
  if (!before) return now < FAR ? 0 : now;
  if (now < FAR - SLACK) return 0;
  return Math.abs(now - before) > SLACK ? now : before;
}
