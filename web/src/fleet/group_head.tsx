// The head of a group: its tag, how many hosts it has, how they are, and a box that selects them all.

import { untracked } from "@preact/signals";
import { changed } from "../alerts/data.ts";
import { STANDING_WORDS, StandingIcon } from "../shell/icons.tsx";
import { isSelected, selectAll } from "./selection.ts";
import { judged, type Listed } from "./shown.ts";
import { STANDINGS, type Standing } from "./summary.ts";

interface GroupHeadProps {
  name: string;
  hosts: readonly Listed[];
}

export function GroupHead({ name, hosts }: GroupHeadProps) {
  const words = name || "Without a tag";
  return (
    <header class="group-head">
      <SelectSome hosts={hosts} label={`Select all of ${words}`} />
      <h2>{words}</h2>
      <span class="muted">
        {hosts.length} {hosts.length === 1 ? "host" : "hosts"}
      </span>
      <Bad hosts={hosts} />
    </header>
  );
}

/** How many of them stand under each bad word. */
export function Bad({ hosts }: { hosts: readonly Listed[] }) {
  changed.value;
  judged.value;
  const count = new Map<Standing, number>();
  untracked(() => {
    for (const { standing } of hosts) count.set(standing, (count.get(standing) ?? 0) + 1);
  });
  return (
    <>
      {STANDINGS.filter((one) => one !== "up" && one !== "archived" && count.has(one)).map((one) => (
        <span key={one} class={`badge tone-${one}`} title={`${count.get(one)} ${STANDING_WORDS[one].toLowerCase()}`}>
          <StandingIcon standing={one} />
          {count.get(one)}
          <span class="hidden"> {STANDING_WORDS[one]}</span>
        </span>
      ))}
    </>
  );
}

/** A box for several hosts at once: half on while only some of them are selected. */
export function SelectSome({ hosts, label }: { hosts: readonly Listed[]; label: string }) {
  const on = hosts.filter(({ id }) => isSelected(id)).length;
  return (
    <label class="pick">
      <input
        type="checkbox"
        checked={on > 0 && on === hosts.length}
        ref={(box) => {
          if (box) box.indeterminate = on > 0 && on < hosts.length;
        }}
        onChange={() =>
          selectAll(
            hosts.map(({ id }) => id),
            on < hosts.length,
          )
        }
      />
      <span class="hidden">{label}</span>
    </label>
  );
}
