// What happened around an incident: the values, the thresholds, the incident itself, and what was done meanwhile.
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { IncidentDetail, Marks } from "../api/types.gen.ts";
import { Panel } from "../charts/panel.tsx";
import type { Limits, Pointed } from "../charts/source.ts";
import { now } from "../live/session.ts";
import { base } from "../preferences.ts";
import { thresholdsOf, topOf } from "./lines.ts";
import { PAST_POINTS, usePast } from "./past.ts";
import { chartOf } from "./rule_chart.tsx";
import { around, storyOf } from "./story.ts";

/** An incident that is on goes on to the right so often. */
const EVERY_MS = 15_000;

/** For incidents of what hosts sample. */
export function IncidentChart({ detail }: { detail: IncidentDetail }) {
  const { incident } = detail;
  const { metric, host, instance, unit } = incident;
  const spec = useMemo(() => ({ ...chartOf(metric), id: "incident" }), [metric]);
  const turn = useComputed(() => (incident.closed === null ? Math.ceil(now.value / EVERY_MS) * EVERY_MS : 0));
  const present = turn.value || now.peek();
  const { from, to } = useMemo(
    () => around(incident.opened * 1000, incident.closed === null ? null : incident.closed * 1000, present),
    [incident.opened, incident.closed, turn.value],
  );
  const about = String(incident.id);
  const { source, view } = usePast({ host, metric, instance: instance || null, from, to, about });
  const pointed = useSignal<Pointed | null>(null);
  const range = useRef({ from, to });
  range.current = { from, to };
  const others = useMemo(
    () =>
      loader((signal) => {
        const { from, to } = range.current;
        const query = new URLSearchParams({ from: String(Math.floor(from)), to: String(Math.ceil(to)), limit: "200" });
        return get<Marks>(`/hosts/${encodeURIComponent(host)}/marks?${query}`, signal);
      }),
    [host],
  );
  useEffect(() => others.close, [others]);
  useEffect(() => others.refresh(), [others, from, to]);

  const limits = useSignal<Limits | null>(null);
  const next = thresholdsOf(detail);
  if (JSON.stringify(limits.peek()) !== JSON.stringify(next)) limits.value = next;
  const marks = useSignal(storyOf(detail, [], present));
  const story = storyOf(detail, others.state.value.value?.marks ?? [], present);
  if (JSON.stringify(marks.peek()) !== JSON.stringify(story)) marks.value = story;
  const top = useComputed(() => {
    const columns = source.stored.value.value?.answer.series ?? [];
    return topOf(columns, [limits.value?.warning ?? null, limits.value?.critical ?? null], unit, base());
  });
  return (
    <div class="rule-chart" data-marks={marks.value.length}>
      <Panel
        spec={spec}
        source={source}
        view={view}
        points={PAST_POINTS}
        pointed={pointed}
        limits={limits}
        ceiling={top}
        marks={marks}
      />
    </div>
  );
}
