// The fleet: counts that filter, a search, and the cards in their order.
import { fleet } from "../live/session.ts";
import { setQuery } from "../router.ts";
import { STANDING_WORDS } from "../shell/icons.tsx";
import { Waiting } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { Card } from "./card.tsx";
import { AnotherHost, FirstHost } from "./empty.tsx";
import { asked, searchText, shown } from "./shown.ts";
import { Toolbar } from "./toolbar.tsx";
import "../style/fleet.css";
import "../style/toolbar.css";

/** A fleet of fewer hosts is told how to grow. */
const FEW = 3;

export function FleetPage() {
  useTitle("Fleet");
  if (fleet.snapshots.value === 0) return <Waiting what="the fleet" />;
  if (fleet.ids.value.length === 0) return <FirstHost />;
  return (
    <div class="fleet">
      <h1 class="hidden">Fleet</h1>
      <Toolbar />
      <Cards />
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
