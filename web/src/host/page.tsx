// One host: what it is, how it is now, how it was over the chosen range.
import { type ReadonlySignal, type Signal, useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { active, ruleBodies, standingOf } from "../alerts/data.ts";
import { useDetail } from "../live/detail.ts";
import { fleet } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { FLEET } from "../places.ts";
import { query } from "../router.ts";
import { lazy } from "../shell/lazy.tsx";
import { Waiting } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { RangeBar } from "../time/bar.tsx";
import { hostZone } from "../time/choice.ts";
import { useTimeKeys } from "../time/keys.ts";
import { ChartGrid } from "./chart_grid.tsx";
import { familiesIn, metricsIn } from "./charts.ts";
import { type Families, useFamilies } from "./families.ts";
import { Head } from "./head.tsx";
import { marksOf, useMarks } from "./marks.ts";
import { Tiles } from "./tiles.tsx";
import { useIdentity } from "./use_identity.ts";
import { useView, type View } from "./view.ts";
import { viewOf } from "./view_names.ts";
import { Views } from "./views.tsx";
import { openWhy } from "./why.ts";
import "../style/host.css";
import "../style/host_views.css";

// What is below the first screen comes after it.
const IdentityWarnings = lazy(
  "what is wrong with its identity",
  async () => (await import("./belonging.tsx")).IdentityWarnings,
  true,
);
const Refused = lazy("the refusals", async () => (await import("./refused.tsx")).Refused, true);
const Events = lazy("the events", async () => (await import("./events.tsx")).Events);
const Stats = lazy("the statistics", async () => (await import("./stats.tsx")).Stats);

const ActiveList = lazy("the alerts", async () => (await import("../alerts/active.tsx")).ActiveList);
const AlertsView = lazy("the alerts", async () => (await import("./alerts_view.tsx")).AlertsView);
const SettingsView = lazy("the settings", async () => (await import("./settings_view.tsx")).SettingsView);
const AgentView = lazy("the agent", async () => (await import("./agent_view.tsx")).AgentView);
const Processes = lazy("the processes", async () => (await import("./processes.tsx")).Processes);

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
        <a href={FLEET}>See the fleet</a>.
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
  const view = useView(entry, snapshots);
  useTimeKeys(view);
  useSignalEffect(() => {
    hostZone.value = entry.host.value.facts.time_zone;
    return () => {
      hostZone.value = "";
    };
  });
  const latest = useComputed(() => {
    entry.tick.value;
    return [...metricsIn(entry.latest)].sort().join();
  });
  const families = useFamilies(entry.id, latest, snapshots, view);
  const current = viewOf(query.value.get("view"));
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
      <Views host={entry.id} current={current} families={familiesIn([...families.all.value.split(","), current])} />
      {current === "" && alerts.length > 0 && <ActiveList alerts={alerts} rules={ruleBodies.value} here={entry.id} />}
      {current === "" && latest.value !== "" && <Tiles entry={entry} facts={entry.host.value.facts} />}
      {current === "alerts" && <AlertsView entry={entry} />}
      {current === "settings" && <SettingsView entry={entry} />}
      {current === "agent" && <AgentView entry={entry} />}
      {current === "process" && <Processes entry={entry} />}
      {current !== "alerts" && current !== "settings" && (
        <Charts entry={entry} snapshots={snapshots} view={view} current={current} latest={latest} families={families} />
      )}
    </div>
  );
}

interface ChartsProps extends KnownProps {
  view: View;
  current: string;
  latest: ReadonlySignal<string>;
  families: Families;
}

function Charts({ entry, snapshots, view, current, latest, families }: ChartsProps) {
  const marks = useMarks(entry.id, snapshots, view);
  const shown = marksOf(marks);
  const why = useMemo(() => openWhy(entry.id, view), [entry, view]);
  useEffect(() => why.close, [why]);
  return (
    <>
      <RangeBar view={view} ofHost />
      <ChartGrid
        key={current}
        entry={entry}
        snapshots={snapshots}
        view={view}
        family={current || null}
        latest={latest}
        families={families}
        marks={shown}
        why={why}
      />
      {current === "" && <Processes entry={entry} />}
      <Events marks={marks} gaps={why.of(current || "cpu")} view={view} />
      <Stats key={current} host={entry.id} view={view} families={families} of={current} />
    </>
  );
}
