// The fleet: counts that filter, a search, and the hosts in their order, as cards, a table or a heat map.
import { untracked, useSignalEffect } from "@preact/signals";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { adding, inPage, leaveAdding } from "../enrol/adding.ts";
import { AddDialog } from "../enrol/dialog.tsx";
import { counted } from "../format.ts";
import { fleet, wantMetrics } from "../live/session.ts";
import { setQuery } from "../router.ts";
import { STANDING_WORDS } from "../shell/icons.tsx";
import { lazy } from "../shell/lazy.tsx";
import { Waiting } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { Card } from "./card.tsx";
import { AnotherHost, FirstHost, FirstMachine } from "./empty.tsx";
import { explained, type Reason } from "./explain.ts";
import { HostList } from "./list.tsx";
import { Removing } from "./removing.tsx";
import { useRested } from "./rested.ts";
import { selected } from "./selection.ts";
import { asked, byNameNow, grouping, groups, metrics, search, searchText, slow, tagCounts, view } from "./shown.ts";
import { Toolbar } from "./toolbar.tsx";
import "../style/fleet.css";
import "../style/toolbar.css";

const Table = lazy("the table", async () => (await import("./table.tsx")).Table);
const BulkBar = lazy("what can be done", async () => (await import("./bulk_bar.tsx")).BulkBar);
const HeatMap = lazy("the heat map", async () => (await import("./heat_map.tsx")).HeatMap);

/** A fleet of fewer hosts is told how to grow. */
const FEW = 3;

export function FleetPage() {
  useTitle("Fleet");
  return fleet.snapshots.value === 0 ? <Waiting what="the fleet" /> : <Fleet />;
}

function Fleet() {
  const none = fleet.ids.value.length === 0;
  /** A fleet that was seen without hosts shows the line in the page, and goes on doing so when the first one comes. */
  useLayoutEffect(() => {
    inPage.value = fleet.ids.peek().length === 0;
    return () => {
      inPage.value = false;
    };
  }, []);
  useLayoutEffect(() => {
    if (none) inPage.value = true;
  }, [none]);
  return (
    <div class={`fleet ${selected.value.length > 0 ? "with-bar" : ""}`}>
      {none ? (
        <FirstHost key="none" />
      ) : (
        <>
          <h1 class="hidden">Fleet</h1>
          <Toolbar />
        </>
      )}
      {inPage.value && (
        <FirstMachine
          key="first"
          onClose={
            none
              ? null
              : () => {
                  inPage.value = false;
                  leaveAdding();
                }
          }
        />
      )}
      {!none && <Hosts />}
      {selected.value.length > 0 && <BulkBar />}
      <Removing />
      {adding.value && !inPage.value && <AddDialog />}
    </div>
  );
}

function Hosts() {
  useSignalEffect(() => wantMetrics(metrics.value));
  const found = groups.value;
  if (found.length === 0) return <NoMatch />;
  const isGrouped = grouping.value.kind !== "none";
  switch (view.value) {
    case "table":
      return <Table groups={found} isGrouped={isGrouped} />;
    case "heat":
      return <HeatMap groups={found} isGrouped={isGrouped} />;
    default:
      return (
        <HostList
          groups={found}
          kind="cards"
          Item={Card}
          isGrouped={isGrouped}
          more={fleet.ids.value.length < FEW && <AnotherHost key="another" />}
        />
      );
  }
}

interface Reasons {
  reasons: readonly Reason[];
  /** So many hosts are found that another filter shows. */
  elsewhere: number;
}

const NO_REASONS: Reasons = { reasons: [], elsewhere: 0 };

/** Why nothing is found, once nobody is typing any more: a mistyped word is compared with every name and tag. */
function useReasons(are: string): Reasons {
  const [found, wanted, hosts, tags, time] = [search.value, asked.value, byNameNow.value, tagCounts.value, slow.value];
  const rested = useRested(found);
  return useMemo(() => {
    if (!rested || found.terms.length === 0) return NO_REASONS;
    return untracked(() => {
      const elsewhere = wanted === null ? 0 : hosts.filter(found.matches).length;
      if (elsewhere > 0) return { reasons: [], elsewhere };
      const under = hosts.filter(({ standing }) => wanted === null || standing === wanted);
      return { reasons: explained(found, under, tags.keys(), are), elsewhere };
    });
  }, [rested, found, wanted, hosts, tags, time, are]);
}

function NoMatch() {
  const text = searchText.value.trim();
  const wanted = asked.value;
  const state = wanted && STANDING_WORDS[wanted].toLowerCase();
  const are = state ? ` that is ${state}` : "";
  const { reasons, elsewhere } = useReasons(are);
  return (
    <div class="empty" role="status">
      <p>
        {text ? (
          <>
            No host{are} matches <q>{text}</q>.
          </>
        ) : (
          `No host is ${state} now.`
        )}
      </p>
      {elsewhere > 0 && (
        <p>
          {counted(elsewhere)} {elsewhere === 1 ? "is" : "are"} found in other states.{" "}
          <button type="button" class="instead" onClick={() => setQuery({ show: null })}>
            Search all states
          </button>
        </p>
      )}
      {reasons.map(({ words, instead }) => (
        <p key={words}>
          {words}{" "}
          {instead !== null && (
            <button type="button" class="instead" onClick={() => setQuery({ q: instead })}>
              Search for {instead}
            </button>
          )}
        </p>
      ))}
      <button type="button" onClick={() => setQuery({ show: null, q: null })}>
        Show all {fleet.ids.value.length}
      </button>
    </div>
  );
}
