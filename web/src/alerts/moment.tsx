// What happened around the moment an alert began, in a row of the list: the values, its threshold, and since when it is on.
import { useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { metricOf, pathWords } from "../api/catalogue.ts";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { ActiveAlert, SeriesAnswer } from "../api/types.gen.ts";
import { span } from "../format.ts";
import { now } from "../live/session.ts";
import { useOnScreen } from "../shell/on_screen.ts";
import { ruleBodies } from "./data.ts";
import { momentOf } from "./moment_drawing.ts";
import { around } from "./story.ts";
import { isDrawn } from "./words.ts";

const WIDTH = 150;
const HEIGHT = 34;
const POINTS = 75;
/** How often it is asked for again while it is on the screen. */
const EVERY_MS = 30_000;

export function Moment({ alert }: { alert: ActiveAlert }) {
  const [box, onScreen] = useOnScreen<HTMLSpanElement>();
  const sampled = alert.host !== "" && metricOf(alert.metric) !== undefined;
  const asked = useMemo(
    () => loader((signal) => ask(alert, now.peek(), signal)),
    [alert.host, alert.metric, alert.instance, alert.since],
  );
  useEffect(() => asked.close, [asked]);
  // Each row in a turn of its own, so that they do not all ask at once.
  const turn = useComputed(() => Math.floor((now.value + alert.since * 1000) / EVERY_MS));
  useSignalEffect(() => {
    turn.value;
    if (sampled && onScreen.value) asked.refresh();
  });
  return (
    <span class={`moment ${sampled ? "" : "unsampled"}`} ref={box}>
      {sampled && asked.state.value.value && <Drawing answer={asked.state.value.value} alert={alert} />}
    </span>
  );
}

async function ask(alert: ActiveAlert, now_ms: number, signal: AbortSignal): Promise<SeriesAnswer> {
  const { from, to } = around(alert.since * 1000, null, now_ms);
  const query = new URLSearchParams({
    metrics: alert.metric,
    from: String(Math.floor(from)),
    to: String(Math.ceil(to)),
    points: String(POINTS),
  });
  if (alert.instance) query.set("instance", alert.instance);
  return get<SeriesAnswer>(`/hosts/${encodeURIComponent(alert.host)}/series?${query}`, signal);
}

function Drawing({ answer, alert }: { answer: SeriesAnswer; alert: ActiveAlert }) {
  const { from, to } = answer;
  const rule = ruleBodies.value.find(({ id }) => id === alert.rule);
  const limit = rule && isDrawn(rule.window.function) ? alert.threshold : null;
  const { line, area, since, limit_y } = momentOf(answer, alert.since * 1000, limit, WIDTH, HEIGHT);
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${pathWords(alert.metric)} from ${span(from, to)}${limit === null ? "" : ", with its threshold"}`}
    >
      <rect class={`on tone-${alert.severity}`} x={since} y="0" width={WIDTH - since} height={HEIGHT} />
      <path class="area" d={area} />
      <path class="line" d={line} />
      {limit_y !== null && (
        <line class={`limit-line tone-${alert.severity}`} x1="0" x2={WIDTH} y1={limit_y} y2={limit_y} />
      )}
    </svg>
  );
}
