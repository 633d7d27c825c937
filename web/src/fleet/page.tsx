// The fleet: counts that filter, a search, and the cards in their order.
import { computed, useComputed, useSignal } from "@preact/signals";
import { standingOf, tally } from "../alerts/data.ts";
import { fleet, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { query, setQuery } from "../router.ts";
import { SearchIcon, STANDING_WORDS, StandingIcon } from "../shell/icons.tsx";
import { Waiting } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { Card } from "./card.tsx";
import { AnotherHost, FirstHost } from "./empty.tsx";
import { followsSamples, ordered, parseSort, SORTS } from "./order.ts";
import { parseSearch } from "./search.ts";
import { STANDINGS, type Standing, summarise } from "./summary.ts";
import "../style/fleet.css";

/** A fleet of fewer hosts is told how to grow. */
const FEW = 3;

/** Numbers move every second; an order that follows them moves every five, or nobody could read it. */
const slow = computed(() => Math.floor(now.value / 5000));

const asked = computed<Standing | null>(() => {
  const show = query.value.get("show");
  return (STANDINGS as readonly (string | null)[]).includes(show) ? (show as Standing) : null;
});

/** The hosts to show, in order. */
const shown = computed<Entry[]>(() => {
  const sort = parseSort(query.value.get("sort"));
  const search = parseSearch(query.value.get("q") ?? "");
  if (search.numeric || followsSamples(sort)) slow.value;
  const candidates = fleet.ids.value.map((id) => {
    const entry = fleet.entries.get(id) as Entry;
    const { facts } = entry.host.value;
    return {
      id,
      entry,
      hostname: facts.hostname,
      tags: facts.tags,
      standing: standingOf(entry),
      summary: () => summarise(entry.latest, facts.cores),
    };
  });
  const found = candidates.filter(
    (one) => (asked.value === null || one.standing === asked.value) && search.matches(one),
  );
  return ordered(found, sort).map((one) => one.entry);
});

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

function Toolbar() {
  const text = useSignal(query.peek().get("q") ?? "");
  const all = fleet.ids.value.length;
  return (
    <div class="toolbar">
      <fieldset class="strip">
        <legend class="hidden">Show hosts that are</legend>
        <Filter word="All" count={all} pressed={asked.value === null} onPress={() => setQuery({ show: null })} />
        {STANDINGS.filter(
          (one) => (one !== "late" && one !== "unknown") || tally.value[one] > 0 || asked.value === one,
        ).map((one) => (
          <Filter
            key={one}
            standing={one}
            word={STANDING_WORDS[one]}
            count={tally.value[one]}
            pressed={asked.value === one}
            onPress={() => setQuery({ show: asked.value === one ? null : one })}
          />
        ))}
      </fieldset>
      <label class="search">
        <SearchIcon />
        <span class="hidden">Search hosts</span>
        <input
          type="search"
          placeholder="Search: web  tag:prod  cpu>80"
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
            setQuery({ q: text.value.trim() }, { replace: true });
          }}
          spellcheck={false}
        />
        <kbd title="Press / to search">/</kbd>
      </label>
      <label class="sort">
        <span>Sort</span>
        <select
          value={parseSort(query.value.get("sort"))}
          onChange={(event) =>
            setQuery({ sort: event.currentTarget.value === "worst" ? null : event.currentTarget.value })
          }
        >
          {Object.entries(SORTS).map(([key, name]) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

interface FilterProps {
  word: string;
  count: number;
  pressed: boolean;
  onPress: () => void;
  standing?: Standing;
}

function Filter({ word, count, pressed, onPress, standing }: FilterProps) {
  return (
    <button
      type="button"
      class={`filter ${standing && count > 0 ? `tone-${standing}` : ""}`}
      aria-pressed={pressed}
      onClick={onPress}
    >
      {standing && <StandingIcon standing={standing} />}
      <b>{count}</b>
      <span>{word}</span>
    </button>
  );
}

function Cards() {
  const entries = useComputed(() => shown.value).value;
  if (entries.length === 0)
    return (
      <div class="empty">
        <p>No host matches.</p>
        <button type="button" onClick={() => setQuery({ show: null, q: null })}>
          Show all {fleet.ids.value.length}
        </button>
      </div>
    );
  return (
    <ul class="cards">
      {entries.map((entry) => (
        <Card key={entry.id} entry={entry} />
      ))}
      {fleet.ids.value.length < FEW && <AnotherHost />}
    </ul>
  );
}
