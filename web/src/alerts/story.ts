// What happened around an incident: how much of the time about it is shown, and its steps as marks of the chart. Pure.
import type { Incident, IncidentDetail, Mark, Step } from "../api/types.gen.ts";
import type { ChartMark } from "../charts/marks.ts";
import { stretchAround } from "../host/around.ts";

const LEAST_MS = 30 * 60_000;
const MOST_MS = 12 * 3_600_000;

/** The stretch around one from `began` until `ended` (ms; null: it is still on): half of it before and after it. */
export function around(began: number, ended: number | null, now: number): { from: number; to: number } {
  const end = ended ?? now;
  const beside = Math.min(MOST_MS, Math.max(LEAST_MS, (end - began) / 2));
  return { from: began - beside, to: Math.min(now, end + beside) };
}

/** The host's page around an incident, up to now where it is still on. */
export function hostHref({ host, opened, closed }: Pick<Incident, "host" | "opened" | "closed">, now: number): string {
  const end = closed === null ? null : closed * 1000;
  const [from, to] = stretchAround({ time: opened * 1000, end }, now).map(Math.round);
  return `/hosts/${encodeURIComponent(host)}?from=${from}&to=${to}`;
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
