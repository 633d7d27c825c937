// One host on a card. Its numbers are there only while it is on the screen, so that a thousand cards cost what is visible.
import { type ReadonlySignal, useComputed } from "@preact/signals";
import { countsOf, standingOf } from "../alerts/data.ts";
import type { HostFacts } from "../api/types.gen.ts";
import { quantity } from "../format.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { BellIcon, DownIcon, STANDING_WORDS, StandingIcon, UpIcon } from "../shell/icons.tsx";
import { useOnScreen } from "../shell/on_screen.ts";
import { Age, isStale } from "./age.tsx";
import { roughly } from "./freshness.ts";
import { Meters } from "./meters.tsx";
import { type Summary, summarise } from "./summary.ts";

export function Card({ entry }: { entry: Entry }) {
  const [box, onScreen] = useOnScreen<HTMLLIElement>();
  const { facts, state, label, tags } = entry.host.value;
  const standing = standingOf(entry);
  const summary = useComputed(() => {
    entry.tick.value;
    return summarise(entry.latest, entry.host.value.facts.cores);
  });
  return (
    <li ref={box} class={`card standing-${standing} ${state === "offline" || state === "archived" ? "offline" : ""}`}>
      <div class="face">
        <div class="card-head">
          <span class={`standing tone-${standing}`} title={STANDING_WORDS[standing]}>
            <StandingIcon standing={standing} />
            <span class="hidden">{STANDING_WORDS[standing]}</span>
          </span>
          <h2>
            <a href={`/hosts/${entry.id}`} title={label ? entry.id : undefined}>
              {label || entry.id}
            </a>
          </h2>
          <Words tags={tags} facts={facts} />
          <Bell entry={entry} />
          {onScreen.value && <Age entry={entry} />}
        </div>
        {onScreen.value && <Meters entry={entry} summary={summary} />}
      </div>
      {onScreen.value && <Foot entry={entry} summary={summary} />}
    </li>
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
function Bell({ entry }: { entry: Entry }) {
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
