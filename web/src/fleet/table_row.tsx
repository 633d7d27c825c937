// One host as a row of the table. What of it moves is followed by its own cells.
import { countsOf, rulesOf, standingOf } from "../alerts/data.ts";
import { levelOf, thresholdsFor } from "../alerts/thresholds.ts";
import { unitOf } from "../api/catalogue.ts";
import { quantity } from "../format.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { STANDING_WORDS, StandingIcon } from "../shell/icons.tsx";
import { Age, isStale } from "./age.tsx";
import { Bell, Muted } from "./card.tsx";
import { roughly } from "./freshness.ts";
import { LEVEL_WORDS, sparkline, totalLine } from "./meters.tsx";
import { Pick } from "./pick.tsx";
import { isSummed, reading, speaker } from "./readings.ts";
import { isSelected } from "./selection.ts";
import { hasSparks } from "./shown.ts";
import { type Fact, isFact } from "./view.ts";

interface RowProps {
  entry: Entry;
  group: string;
  /** Its row in the whole table, from 1. */
  index: number;
  columns: readonly string[];
}

export function Row({ entry, group, index, columns }: RowProps) {
  const { label, muted_until } = entry.host.value;
  const standing = standingOf(entry);
  const gone = standing === "offline" || standing === "archived" ? "gone" : "";
  return (
    <tr
      class={`host-row standing-${standing} ${gone} ${isSelected(entry.id) ? "selected" : ""}`}
      aria-rowindex={index}
      data-host={entry.id}
      data-group={group}
    >
      <th scope="row">
        <span class="host-name">
          <Pick entry={entry} always />
          <span class={`standing tone-${standing}`} title={STANDING_WORDS[standing]}>
            <StandingIcon standing={standing} />
            <span class="hidden">{STANDING_WORDS[standing]}</span>
          </span>
          <a href={`/hosts/${entry.id}`} title={label ? entry.id : undefined}>
            {label || entry.id}
          </a>
          <Muted until={muted_until} />
          <Bell entry={entry} />
        </span>
      </th>
      {columns.map((column) =>
        isFact(column) ? (
          <td key={column}>
            <FactCell entry={entry} fact={column} />
          </td>
        ) : (
          <MetricCell key={column} entry={entry} path={column} />
        ),
      )}
    </tr>
  );
}

function FactCell({ entry, fact }: { entry: Entry; fact: Fact }) {
  const { facts, tags } = entry.host.value;
  switch (fact) {
    case "state": {
      const standing = standingOf(entry);
      return <span class={`tone-${standing}`}>{STANDING_WORDS[standing]}</span>;
    }
    case "tags":
      return <span title={tags.join(", ")}>{tags.join(" · ")}</span>;
    case "alerts": {
      const { warning, critical } = countsOf(entry);
      if (warning + critical === 0) return <span class="muted">none</span>;
      return (
        <span class={critical > 0 ? "tone-critical" : "tone-warning"}>
          {[critical && `${critical} critical`, warning && `${warning} warning`].filter(Boolean).join(", ")}
        </span>
      );
    }
    case "age":
      return <Age entry={entry} />;
    case "uptime":
      return <Uptime entry={entry} />;
    case "os":
      return <span title={facts.kernel}>{facts.os}</span>;
    case "version":
      return <>{facts.agent_version}</>;
  }
}

function Uptime({ entry }: { entry: Entry }) {
  entry.tick.value;
  const { boot_time } = entry.host.value.facts;
  if (boot_time <= 0 || entry.lastSample === null) return <span class="muted">–</span>;
  return (
    <span title="Time from boot to the last sample">
      {isStale(entry) && "was "}
      {roughly(entry.lastSample / 1000 - boot_time)}
    </span>
  );
}

function MetricCell({ entry, path }: { entry: Entry; path: string }) {
  entry.tick.value;
  const found = reading(entry.latest, path);
  const unit = unitOf(path);
  const number = quantity(found?.value, unit, base());
  const level = levelOf(thresholdsFor(rulesOf(entry), entry.id, path, found?.instance ?? ""), found?.value);
  return (
    <td class={`n metric level-${level}`} title={(found && speaker(path, found)) || undefined}>
      <span class="reading">
        {hasSparks.value && found && line(entry, path, found.instance)}
        {level !== "normal" && (
          <span class="level" title={LEVEL_WORDS[level]}>
            <StandingIcon standing={level} />
            <span class="hidden">{LEVEL_WORDS[level]}</span>
          </span>
        )}
        <span class="number">
          {number.value}
          {number.unit && <small>{number.unit}</small>}
        </span>
      </span>
    </td>
  );
}

function line(entry: Entry, path: string, instance: string) {
  return isSummed(path) ? totalLine(entry, [path]) : sparkline(entry, path, entry.rings.get(path)?.get(instance));
}
