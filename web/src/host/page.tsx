// One host: what it is, how it is now, how it was over the chosen range.
import { type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { ActiveList } from "../alerts/active.tsx";
import { active, ruleBodies, standingOf } from "../alerts/data.ts";
import type { Pointed } from "../charts/source.ts";
import { pointsFor } from "../charts/window.ts";
import { useDetail } from "../live/detail.ts";
import { connection, fleet, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { Boundary } from "../shell/boundary.tsx";
import { Failed, Nothing, Waiting } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { RangeBar } from "./bar.tsx";
import { IdentityWarnings, useIdentity } from "./belonging.tsx";
import { HostChart } from "./chart.tsx";
import { CHARTS, CORE_FAMILIES, chartsFor, metricsIn, metricsStored } from "./charts.ts";
import { Head } from "./head.tsx";
import { openHistory } from "./history.ts";
import { useKeys } from "./keys.ts";
import { Refused } from "./refused.tsx";
import { Stats } from "./stats.tsx";
import { Tiles } from "./tiles.tsx";
import { useView, type View } from "./view.ts";
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
  const removed = fleet.removed.value.has(id);
  return (
    <div class="empty" role="status">
      <h1>{removed ? `${id} was removed` : `No host called ${id}`}</h1>
      <p>
        {removed
          ? "Its agent was disconnected, and its history is being deleted. "
          : "It has never reported here, or it was removed. "}
        <a href="/">See the fleet</a>.
      </p>
    </div>
  );
}

interface KnownProps {
  entry: Entry;
  /** Moves when the stream was away and is back: what it missed is stored by now. */
  snapshots: Signal<number>;
}

function Known({ entry, snapshots }: KnownProps) {
  const view = useView(entry);
  useKeys(view);
  const measured = useComputed(() => {
    entry.tick.value;
    return Object.keys(entry.latest).length > 0;
  });
  const identity = useIdentity(entry.id, snapshots);
  const standing = standingOf(entry);
  const alerts = active.state.value.value?.filter((alert) => alert.host === entry.id) ?? [];
  return (
    <div class={`host standing-${standing}`}>
      <Head entry={entry} window={view.window.value} identity={identity} />
      {identity.state.value.value && standing !== "archived" && (
        <IdentityWarnings identity={identity.state.value.value} />
      )}
      <Refused entry={entry} snapshots={snapshots} />
      {alerts.length > 0 && <ActiveList alerts={alerts} rules={ruleBodies.value} here={entry.id} />}
      {measured.value && <Tiles entry={entry} facts={entry.host.value.facts} />}
      <RangeBar view={view} />
      <Charts entry={entry} snapshots={snapshots} view={view} />
      <Stats entry={entry} view={view} />
    </div>
  );
}

function Charts({ entry, snapshots, view }: KnownProps & { view: View }) {
  const history = useMemo(() => openHistory(entry.id), [entry]);
  useEffect(() => () => history.close(), [history]);
  const pointed = useSignal<Pointed | null>(null);

  const latest = useComputed(() => {
    entry.tick.value;
    return [...metricsIn(entry.latest)].sort().join();
  });
  const families = useComputed(() => {
    const now = new Set(latest.value.split(",").map((path) => path.slice(0, path.indexOf("."))));
    const known = [...new Set(CHARTS.map((spec) => spec.family))].filter((family) => now.has(family));
    // A host of which nothing was heard since the gateway began still has a past.
    return (known.length > 0 ? known : CORE_FAMILIES).join();
  });
  const ids = useComputed(() => {
    const stored = families.value
      .split(",")
      .flatMap((family) => metricsStored(history.of(family).value.value?.answer ?? null));
    return chartsFor(new Set([...latest.value.split(","), ...stored]))
      .map((spec) => spec.id)
      .join();
  });

  const grid = useRef<HTMLDivElement>(null);
  const points = useSignal(0);
  useEffect(() => {
    const element = grid.current as HTMLDivElement;
    const measure = () => {
      points.value = pointsFor(element.querySelector(".plot")?.clientWidth ?? element.clientWidth);
    };
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [points]);

  const polled = useComputed(() => connection.value.kind === "lost" && connection.value.poll_ms !== null);
  useSignalEffect(() => {
    if (points.value > 0)
      history.show({
        families: families.value.split(","),
        window: view.window.value,
        points: points.value,
        polled: polled.value,
        edge: () => view.edge.peek(),
        now: () => now.peek(),
      });
  });

  useSignalEffect(() => {
    if (snapshots.value > 1) history.refresh();
  });

  const specs = CHARTS.filter((spec) => ids.value.split(",").includes(spec.id));
  return (
    <div class="charts" ref={grid}>
      {specs.map((spec) => (
        <Boundary key={spec.id} what={`The chart ${spec.title}`}>
          <HostChart spec={spec} entry={entry} history={history} view={view} points={points} pointed={pointed} />
        </Boundary>
      ))}
      {specs.length === 0 && <NoCharts states={families.value.split(",").map((family) => history.of(family).value)} />}
    </div>
  );
}

/** Nothing was heard of the host lately, and nothing stored was found yet. */
function NoCharts({ states }: { states: { loading: boolean; error: string | null }[] }) {
  const error = states.find((state) => state.error)?.error;
  if (error) return <Failed what="The history" error={error} />;
  if (states.some((state) => state.loading)) return <Waiting what="the history" />;
  return <Nothing>No samples in this range</Nothing>;
}
