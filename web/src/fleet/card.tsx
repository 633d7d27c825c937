// One host on a card. Cards are in the page only while they are on the screen, so that a thousand cost what is visible.
import { computed, type ReadonlySignal, useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { countsOf, standingOf } from "../alerts/data.ts";
import type { Host, HostFacts } from "../api/types.gen.ts";
import { moment, quantity } from "../format.ts";
import { now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { BellIcon, DownIcon, STANDING_WORDS, StandingIcon, UpIcon } from "../shell/icons.tsx";
import { Age, isStale } from "./age.tsx";
import { roughly } from "./freshness.ts";
import { MutedIcon } from "./icons.tsx";
import type { ItemProps } from "./list.tsx";
import { Meters } from "./meters.tsx";
import { Pick } from "./pick.tsx";
import { useRested } from "./rested.ts";
import { isSelected } from "./selection.ts";
import { type Summary, summarise } from "./summary.ts";

/** Where the style sheet shows feet without anybody pointing at their cards. */
const alwaysFeet = matchMedia("(hover: none), (max-width: 720px)");

export function Card({ entry, group, place, of, row, column, level }: ItemProps) {
  const { facts, state, label, tags, muted_until } = entry.host.value;
  const standing = standingOf(entry);
  const summary = useComputed(() => {
    entry.tick.value;
    return summarise(entry.latest, entry.host.value.facts.cores);
  });
  const rested = useRested(entry);
  const Heading = `h${level}` as const;
  const gone = state === "offline" || state === "archived" ? "offline" : "";
  return (
    <li
      class={`card standing-${standing} ${gone} ${isSelected(entry.id) ? "selected" : ""}`}
      style={{ gridRow: `${row}`, gridColumn: `${column}` }}
      aria-setsize={of}
      aria-posinset={place}
      data-host={entry.id}
      data-group={group}
    >
      <div class="face">
        <div class="card-head">
          <Pick entry={entry} />
          <span class={`standing tone-${standing}`} title={STANDING_WORDS[standing]}>
            <StandingIcon standing={standing} />
            <span class="hidden">{STANDING_WORDS[standing]}</span>
          </span>
          <Heading>
            <a href={`/hosts/${entry.id}`} title={label ? entry.id : undefined}>
              {label || entry.id}
            </a>
          </Heading>
          <Words tags={tags} facts={facts} />
          <Muted until={muted_until} />
          <Bell entry={entry} />
          <Age entry={entry} />
        </div>
        <Meters entry={entry} summary={summary} hasLines={rested} />
      </div>
      {(rested || alwaysFeet.matches) && <Foot entry={entry} summary={summary} />}
    </li>
  );
}

/** Says that nobody is told of the host's alerts. */
export function Muted({ until }: { until: Host["muted_until"] }) {
  const over = useMemo(() => computed(() => until === null || (until !== "forever" && until <= now.value)), [until]);
  if (over.value || until === null) return null;
  const words = until === "forever" ? "Muted" : `Muted until ${moment(until)}`;
  return (
    <span class="badge muted" title={words}>
      <MutedIcon />
      <span class="hidden">{words}</span>
    </span>
  );
}

/** A host's tags, or what one without tags is known by. */
function Words({ tags, facts }: { tags: readonly string[]; facts: HostFacts }) {
  const nature = [facts.os, facts.cores > 0 ? `${facts.cores} cores` : ""].filter((word) => word !== "");
  const words = (tags.length > 0 ? tags : nature).join(" · ");
  return (
    <span class="tags" title={words}>
      {words}
    </span>
  );
}

interface FootProps {
  entry: Entry;
  summary: ReadonlySignal<Summary>;
}

/** Shown to whoever points at the card or comes to it by keyboard; always on a phone and where nothing can point. */
function Foot({ entry, summary }: FootProps) {
  const { received, sent, loadPerCore } = summary.value;
  const { boot_time } = entry.host.value.facts;
  const down = quantity(received, "B/s", base());
  const up = quantity(sent, "B/s", base());
  const load = quantity(loadPerCore, "");
  return (
    <div class="card-foot">
      <span title="Received, all interfaces">
        <DownIcon />
        <span class="hidden">Received </span>
        {down.value} <small>{down.unit}</small>
      </span>
      <span title="Sent, all interfaces">
        <UpIcon />
        <span class="hidden">Sent </span>
        {up.value} <small>{up.unit}</small>
      </span>
      <span title="1-minute load average per core">
        <small>load</small> {load.value}
      </span>
      {boot_time > 0 && entry.lastSample !== null && (
        <span title="Time from boot to the last sample">
          <small>{isStale(entry) ? "was up" : "up"}</small> {roughly(entry.lastSample / 1000 - boot_time)}
        </span>
      )}
    </div>
  );
}

/** How many alerts fire. */
export function Bell({ entry }: { entry: Entry }) {
  const { warning, critical } = countsOf(entry);
  const count = warning + critical;
  if (count === 0) return null;
  const words = `${count} ${count === 1 ? "alert fires" : "alerts fire"}`;
  return (
    <span class={`badge tone-${critical > 0 ? "critical" : "warning"}`} title={words}>
      <BellIcon />
      <span aria-hidden="true">{count}</span>
      <span class="hidden"> {words}</span>
    </span>
  );
}
