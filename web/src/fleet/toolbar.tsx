// What narrows the fleet down: counts that filter, a search, an order. All of it is in the address, and only there.
import { tally } from "../alerts/data.ts";
import { openAdding } from "../enrol/adding.ts";
import { fleet } from "../live/session.ts";
import { setQuery } from "../router.ts";
import { Action } from "../shell/allowed.tsx";
import { PlusIcon, SearchIcon, STANDING_WORDS, StandingIcon } from "../shell/icons.tsx";
import { SORTS } from "./order.ts";
import { SearchHelp } from "./search_help.tsx";
import { asked, search, searchText, sort } from "./shown.ts";
import { STANDINGS, type Standing } from "./summary.ts";

export function Toolbar() {
  return (
    <div class="toolbar">
      <Strip />
      <Search />
      <label class="sort">
        <span>Sort</span>
        <select
          aria-label="Sort"
          value={sort.value}
          onChange={({ currentTarget: { value } }) => setQuery({ sort: value === "worst" ? null : value })}
        >
          {Object.entries(SORTS).map(([key, name]) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <Action needs="admin" class="add" aria-label="Add a machine" onClick={openAdding}>
        <PlusIcon />
        <span>Add a machine</span>
      </Action>
    </div>
  );
}

/** Standings that seldom are there at all, and have a place only then. */
const SELDOM: readonly Standing[] = ["late", "unknown", "archived"];
const isShown = (standing: Standing): boolean =>
  !SELDOM.includes(standing) || tally.value[standing] > 0 || asked.value === standing;

function Strip() {
  return (
    <fieldset class="strip">
      <legend class="hidden">Show hosts that are</legend>
      <Filter word="All" count={fleet.ids.value.length} pressed={asked.value === null} show={null} />
      {STANDINGS.filter(isShown).map((one) => (
        <Filter
          key={one}
          standing={one}
          word={STANDING_WORDS[one]}
          count={tally.value[one]}
          pressed={asked.value === one}
          show={asked.value === one ? null : one}
        />
      ))}
    </fieldset>
  );
}

interface FilterProps {
  word: string;
  count: number;
  pressed: boolean;
  /** What pressing it shows. */
  show: Standing | null;
  standing?: Standing;
}

function Filter({ word, count, pressed, show, standing }: FilterProps) {
  const tone = standing && count > 0 ? `tone-${standing}` : "";
  return (
    <button
      type="button"
      class={`filter ${tone} ${count === 0 ? "zero" : ""}`}
      aria-pressed={pressed}
      onClick={() => setQuery({ show })}
    >
      {standing && <StandingIcon standing={standing} />}
      <b>{count}</b>
      <span>{word}</span>
    </button>
  );
}

function Search() {
  const { problems } = search.value;
  return (
    <search class="search">
      <div class="search-row">
        <label>
          <SearchIcon />
          <span class="hidden">Search hosts</span>
          <input
            type="search"
            placeholder="web  tag:prod  cpu>80  net>1"
            value={searchText.value}
            onInput={({ currentTarget: { value } }) => setQuery({ q: value }, { replace: true })}
            aria-describedby="search-problems"
            aria-invalid={problems.length > 0}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
          />
          <kbd title="Press / to search">/</kbd>
        </label>
        <SearchHelp />
      </div>
      <div id="search-problems" class="search-problems" role="status">
        {problems.map((problem) => (
          <p key={problem}>{problem}</p>
        ))}
      </div>
    </search>
  );
}
