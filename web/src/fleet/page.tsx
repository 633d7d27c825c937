// The fleet: counts that filter, a search, and the cards in their order.
import { useLayoutEffect } from "preact/hooks";
import { adding, inPage, leaveAdding } from "../enrol/adding.ts";
import { AddDialog } from "../enrol/dialog.tsx";
import { fleet } from "../live/session.ts";
import { setQuery } from "../router.ts";
import { STANDING_WORDS } from "../shell/icons.tsx";
import { Waiting } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { Card } from "./card.tsx";
import { AnotherHost, FirstHost, FirstMachine } from "./empty.tsx";
import { Removing } from "./removing.tsx";
import { asked, searchText, shown } from "./shown.ts";
import { Toolbar } from "./toolbar.tsx";
import "../style/fleet.css";
import "../style/toolbar.css";

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
    <div class="fleet">
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
      {!none && <Cards />}
      <Removing />
      {adding.value && !inPage.value && <AddDialog />}
    </div>
  );
}

function Cards() {
  const entries = shown.value;
  if (entries.length === 0) return <NoMatch />;
  return (
    <ul class="cards">
      {entries.map((entry) => (
        <Card key={entry.id} entry={entry} />
      ))}
      {fleet.ids.value.length < FEW && <AnotherHost />}
    </ul>
  );
}

function NoMatch() {
  const text = searchText.value.trim();
  const state = asked.value && STANDING_WORDS[asked.value].toLowerCase();
  return (
    <div class="empty" role="status">
      <p>
        {text ? (
          <>
            No host{state && ` that is ${state}`} matches <q>{text}</q>.
          </>
        ) : (
          `No host is ${state} now.`
        )}
      </p>
      <button type="button" onClick={() => setQuery({ show: null, q: null })}>
        Show all {fleet.ids.value.length}
      </button>
    </div>
  );
}
