// The search: what is typed is the address's. The browser offers what could follow, and mistakes are explained.
import { useComputed } from "@preact/signals";
import { setQuery } from "../router.ts";
import { SearchIcon } from "../shell/icons.tsx";
import { completions } from "./completions.ts";
import { SearchHelp } from "./search_help.tsx";
import { byNameNow, search, searchText, tagCounts } from "./shown.ts";

export function Search() {
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
            onInput={({ currentTarget: { value } }) => setQuery({ q: value }, { soon: true })}
            list="search-offers"
            aria-describedby="search-problems shown-count"
            aria-invalid={problems.length > 0}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
          />
          <kbd title="Press / to search">/</kbd>
        </label>
        <Offers />
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

/** The whole search as it would be, so that choosing one is typing it. */
function Offers() {
  const offers = useComputed(() => completions(searchText.value, { tags: tagCounts.value, hosts: byNameNow.value }));
  return (
    <datalist id="search-offers">
      {offers.value.map(({ text, meaning }) => (
        <option key={text} value={text}>
          {meaning}
        </option>
      ))}
    </datalist>
  );
}
