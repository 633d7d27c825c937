// What narrows the fleet down: counts that filter, and a search. All of it is in the address, and only there.
import { tally } from "../alerts/data.ts";
import { openAdding } from "../enrol/adding.ts";
import { fleet } from "../live/session.ts";
import { setQuery } from "../router.ts";
import { Action } from "../shell/allowed.tsx";
import { PlusIcon, STANDING_WORDS, StandingIcon } from "../shell/icons.tsx";
import { Search } from "./search_field.tsx";
import { asked } from "./shown.ts";
import { STANDINGS, type Standing } from "./summary.ts";
import { ViewBar } from "./view_bar.tsx";

export function Toolbar() {
  return (
    <div class="toolbar">
      <Strip />
      <Search />
      <Action needs="admin" class="add" aria-label="Add a machine" onClick={openAdding}>
        <PlusIcon />
        <span>Add a machine</span>
      </Action>
      <ViewBar />
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
