// The search grammar on one small card.
import { base } from "../preferences.ts";
import { OFFERED } from "./measures.ts";
import { STATES } from "./search.ts";

const percents = OFFERED.filter(([, { unit }]) => unit === "%").map(([word]) => word);

/** What can be written, and what it finds. */
const grammar = (mega: string): [string, string][] => [
  ["web", "“web” in the name, host name or a tag"],
  ["tag:prod", "a tag that begins with “prod”"],
  ["offline  is:late", `how a host is: ${STATES.join(", ")}`],
  ["cpu > 80", `percent of ${percents.join(", ")}; also >= < <= =`],
  ["load > 1.5", "load per core"],
  ["net > 10  net > 500k", `traffic, received and sent, in ${mega}/s or k, M, G`],
  ["-web  -tag:test", "a minus excludes"],
];

export function SearchHelp() {
  return (
    <>
      <button type="button" class="help" popovertarget="search-help" title="What can be searched for">
        <span aria-hidden="true">?</span>
        <span class="hidden">Help on search</span>
      </button>
      <div id="search-help" class="search-help panel" popover="auto">
        <p>All terms must hold.</p>
        <dl>
          {grammar(base() === 1024 ? "MiB" : "MB").map(([term, meaning]) => (
            <div key={term}>
              <dt>
                {term.split("  ").map((one) => (
                  <code key={one}>{one}</code>
                ))}
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
      </div>
    </>
  );
}
