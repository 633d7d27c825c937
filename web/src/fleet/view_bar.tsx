// How the fleet is looked at: cards, table or heat map, grouped and ordered how, and what that shows. All of it is in the
// address.
import { counted } from "../format.ts";
import { fleet } from "../live/session.ts";
import { setQuery } from "../router.ts";
import { ColumnsButton } from "./columns_button.tsx";
import { HeatChoice } from "./heat_choice.tsx";
import { CheckIcon, ViewIcon } from "./icons.tsx";
import { parseSorts, sortText, sortWords } from "./order.ts";
import { selecting, selectNone } from "./selection.ts";
import { byNameNow, keys, parameter, shown, sorts, tagCounts, view } from "./shown.ts";
import { VIEWS, type View } from "./view.ts";

export function ViewBar() {
  return (
    <div class={`view-bar ${view.value}`}>
      <fieldset class="views">
        <legend class="hidden">View</legend>
        {(Object.keys(VIEWS) as View[]).map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={view.value === one}
            title={VIEWS[one]}
            onClick={() => setQuery({ view: one === "cards" ? null : one })}
          >
            <ViewIcon view={one} />
            <span>{VIEWS[one]}</span>
          </button>
        ))}
      </fieldset>
      {view.value === "heat" && <HeatChoice />}
      <GroupChoice />
      <SortChoice />
      {view.value === "table" && <ColumnsButton />}
      <Count />
      <button
        type="button"
        class="selects"
        aria-pressed={selecting.value}
        title="Select hosts, to compare, tag, mute, silence or export them (x)"
        onClick={() => {
          if (selecting.value) selectNone();
          else selecting.value = true;
        }}
      >
        <CheckIcon />
        <span>Select</span>
      </button>
    </div>
  );
}

const groupAsked = parameter("group");

function GroupChoice() {
  const asked = groupAsked.value ?? "";
  if (tagCounts.value.size === 0 && asked === "") return null;
  const some = keys.value.map((key) => [`tag:${key}`, key] as const);
  const options = [["", "No groups"], ["tag", "Tag"], ...some] as const;
  return (
    <label class="choice">
      <span>Group</span>
      <select
        aria-label="Group"
        value={options.some(([value]) => value === asked) ? asked : ""}
        onChange={({ currentTarget: { value } }) => setQuery({ group: value || null })}
      >
        {options.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Orders that a list offers; the table's headings have the others. */
const SORTS = [
  "worst",
  "name",
  "-cpu.total",
  "-memory.used_percent",
  "-filesystem.used_percent",
  "-network.received,-network.sent",
];
const SORT_WORDS: Record<string, string> = { "-network.received,-network.sent": "Traffic" };

function SortChoice() {
  const now = sortText(sorts.value) ?? "worst";
  const all = SORTS.includes(now) ? SORTS : [...SORTS, now];
  return (
    <label class="choice sorted">
      <span>Sort</span>
      <select
        aria-label="Sort"
        value={now}
        onChange={({ currentTarget: { value } }) => setQuery({ sort: value === "worst" ? null : value })}
      >
        {all.map((one) => (
          <option key={one} value={one}>
            {SORT_WORDS[one] ??
              parseSorts(one)
                .map(({ by }) => sortWords(by))
                .join(", ")}
          </option>
        ))}
      </select>
    </label>
  );
}

/** How many of how many are shown. */
function Count() {
  const [some, all] = [shown.value.length, Math.max(byNameNow.value.length, fleet.ids.value.length)];
  return (
    <span id="shown-count" class={`shown-count muted ${some === all ? "all" : ""}`}>
      {some === all ? counted(all) : `${some} of ${counted(all)}`}
    </span>
  );
}
