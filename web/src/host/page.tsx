// One host: what it is, how it is now, how it was over the chosen range.
import { type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { ActiveList } from "../alerts/active.tsx";
import { active, ruleBodies, standingOf } from "../alerts/data.ts";
import { bounds, DEFAULT_PRESET, parseWindow, pointsFor, type Window, windowQuery, zoomed } from "../charts/window.ts";
import { isStale } from "../fleet/age.tsx";
import { useDetail } from "../live/detail.ts";
import { fleet, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { query, setQuery } from "../router.ts";
import { Waiting } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { chartsFor } from "./charts.ts";
import { Gauges } from "./gauges.tsx";
import { Head } from "./head.tsx";
import { openHistory } from "./history.ts";
import { useKeys } from "./keys.ts";
import { Panel } from "./panel.tsx";
import { Refused } from "./refused.tsx";
import { Stats } from "./stats.tsx";
import "../style/host.css";

export function HostPage({ id }: { id: string }) {
  useTitle(id);
  const store = useDetail(id);
  const entry = store.ids.value.includes(id) ? store.entries.get(id) : undefined;
  if (entry) return <Known entry={entry} snapshots={store.snapshots} />;
  if (fleet.snapshots.value > 0 && !fleet.ids.value.includes(id)) return <Unknown id={id} />;
  return <Waiting what={id} />;
}

function Unknown({ id }: { id: string }) {
  return (
    <div class="empty">
      <h1>No host called {id}</h1>
      <p>
        It has never reported here, or it was removed. <a href="/">See the fleet</a>.
      </p>
    </div>
  );
}

function Known({ entry, snapshots }: { entry: Entry; snapshots: Signal<number> }) {
  const window = useComputed<Window>(() => parseWindow(query.value));
  const lastPreset = useSignal(
    window.peek().kind === "live" ? (window.peek() as { preset: string }).preset : DEFAULT_PRESET,
  );
  const back = useRef<Window[]>([]);
  const edge = useComputed(() => {
    entry.tick.value;
    return isStale(entry) ? now.value : (entry.lastSample ?? now.value);
  });
  const charts = useComputed(() => {
    entry.tick.value;
    return chartsFor(entry.latest)
      .map((spec) => spec.id)
      .join();
  });
  const specs = useComputed(() => {
    charts.value;
    return chartsFor(entry.latest);
  });

  const width = useSignal(0);
  const grid = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = grid.current as HTMLDivElement;
    const measure = () => {
      width.value = element.querySelector(".plot")?.clientWidth ?? element.clientWidth;
    };
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [width]);
  const points = useComputed(() => (width.value > 0 ? pointsFor(width.value) : 0));

  const history = useMemo(() => openHistory(entry.id), [entry]);
  useEffect(() => () => history.close(), [history]);
  useSignalEffect(() => {
    // A fresh snapshot means that the stream was away: what it missed is in the store by now.
    snapshots.value;
    if (points.value > 0)
      history.show([...new Set(specs.value.map((spec) => spec.family))], window.value, points.value, () => edge.peek());
  });

  const zoom = useMemo(
    () => ({
      into: (a: number, b: number) => {
        const { from, to } = bounds(window.peek(), edge.peek());
        const next = zoomed(a, b, from, to);
        if (!next) return;
        back.current.push(window.peek());
        setQuery(windowQuery(next));
      },
      out: () => {
        const before = back.current.pop();
        if (before) setQuery(windowQuery(before));
      },
    }),
    [window, edge],
  );
  useKeys(window, edge, lastPreset);

  const standing = standingOf(entry);
  const alerts = active.state.value.value?.filter((alert) => alert.host === entry.id) ?? [];
  return (
    <div class={`host ${standing === "offline" ? "offline" : ""}`}>
      <Head entry={entry} window={window} edge={edge} lastPreset={lastPreset} />
      <Refused entry={entry} snapshots={snapshots} />
      {alerts.length > 0 && <ActiveList alerts={alerts} rules={ruleBodies.value} here={entry.id} />}
      <Gauges entry={entry} facts={entry.host.value.facts} />
      <div class="charts" ref={grid}>
        {specs.value.map((spec) => (
          <Panel
            key={spec.id}
            spec={spec}
            entry={entry}
            stored={history.of(spec.family)}
            window={window}
            edge={edge}
            onZoom={zoom.into}
            onBack={zoom.out}
          />
        ))}
      </div>
      <Stats entry={entry} window={window} edge={edge} />
    </div>
  );
}
