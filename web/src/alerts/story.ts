// What happened around an incident: how much of the time about it is shown, and its steps as marks of the chart. Pure.
import type { IncidentDetail, Mark, Step } from "../api/types.gen.ts";
import type { ChartMark } from "../charts/marks.ts";

const LEAST_MS = 30 * 60_000;
const MOST_MS = 12 * 3_600_000;

/** The stretch around one from `began` until `ended` (ms; null: it is still on): half of it before and after it. */
export function around(began: number, ended: number | null, now: number): { from: number; to: number } {
  const end = ended ?? now;
  const beside = Math.min(MOST_MS, Math.max(LEAST_MS, (end - began) / 2));
  return { from: began - beside, to: Math.min(now, end + beside) };
}

/** Steps that are moments of the chart; the others say why, and are in the list. */
const SHOWN: Partial<Record<Step["kind"], string>> = {
  escalated: "Worsened to critical",
  deescalated: "Eased to warning",
  sent: "Told",
  acknowledged: "Acknowledged",
  noted: "Noted",
};

/** The incident as a stretch, its steps as moments, and what else happened to the host then. */
export function storyOf({ incident, steps }: IncidentDetail, others: readonly Mark[], now: number): ChartMark[] {
  const stretch: ChartMark = {
    time: incident.opened * 1000,
    end: (incident.closed ?? now / 1000) * 1000,
    kind: "alert",
    level: incident.worst,
    title: incident.rule_name,
  };
  const moments = steps.flatMap((step): ChartMark[] => {
    const words = SHOWN[step.kind];
    if (!words) return [];
    const who = step.by || step.channel;
    const at = step.at * 1000;
    return [{ time: at, end: at, kind: step.kind, title: who ? `${words}: ${who}` : words }];
  });
  return [stretch, ...moments, ...others.filter((mark) => mark.kind !== "alert")];
}

/** What of the axis a small drawing shows: the values and the threshold, with a tenth beside them; not down to zero. */
export function reachOf(values: readonly (number | null)[], threshold: number): { low: number; high: number } {
  let [low, high] = [threshold, threshold];
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const beside = Math.max((high - low) / 10, Math.abs(threshold) / 50, 1e-6);
  return { low: low - beside, high: high + beside };
}
