// The heat map: a cell a host, coloured by one metric, with its number. What is pointed at or has the focus is told above.
import { computed, signal, useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { rulesOf, standingOf } from "../alerts/data.ts";
import { levelOf, thresholdsFor } from "../alerts/thresholds.ts";
import { pathWords, unitOf } from "../api/catalogue.ts";
import { round, text } from "../format.ts";
import { fleet } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { STANDING_WORDS, StandingIcon } from "../shell/icons.tsx";
import type { Group } from "./grouping.ts";
import { short, topOf, warmth } from "./heat.ts";
import { HostList, type ItemProps } from "./list.tsx";
import { Pick } from "./pick.tsx";
import { reading, speaker } from "./readings.ts";
import { isSelected } from "./selection.ts";
import { heatMetric, type Listed, slow } from "./shown.ts";
import "../style/heat.css";

/** Up to so many hosts, cells have room for names. */
const ROOMY = 120;

const pointed = signal<Entry | null>(null);

/** The scale is looked at again every five seconds: colours that all change at once tell nothing. */
const scale = computed(() => {
  slow.value;
  return topOf(
    heatMetric.value,
    [...fleet.entries.values()].map(({ latest }) => latest),
    base(),
  );
});

interface HeatMapProps {
  groups: readonly Group<Listed>[];
  isGrouped: boolean;
}

const letGo = (): void => {
  pointed.value = null;
};

export function HeatMap({ groups, isGrouped }: HeatMapProps) {
  useEffect(() => letGo, []);
  const hosts = groups.reduce((sum, group) => sum + group.hosts.length, 0);
  return (
    <div class="heat" onPointerLeave={letGo} onFocusOut={letGo}>
      <Legend />
      <HostList groups={groups} kind={hosts <= ROOMY ? "cells roomy" : "cells"} Item={Cell} isGrouped={isGrouped} />
    </div>
  );
}

function Legend() {
  const metric = heatMetric.value;
  const unit = unitOf(metric);
  return (
    <div class="heat-legend">
      <span class="scale">
        {round(0, unit, base())}
        <i aria-hidden="true" />
        {round(scale.value, unit, base())}
      </span>
      <span class="level-warning">
        <i aria-hidden="true" /> past warning
      </span>
      <span class="level-critical">
        <i aria-hidden="true" /> past critical
      </span>
      {pointed.value && fleet.ids.value.includes(pointed.value.id) && <Pointed entry={pointed.value} />}
    </div>
  );
}

function Pointed({ entry }: { entry: Entry }) {
  entry.tick.value;
  const { label, tags } = entry.host.value;
  const standing = standingOf(entry);
  return (
    <span class="pointed" aria-hidden="true">
      <b>{label || entry.id}</b> {standing === "up" ? "" : `${STANDING_WORDS[standing]}, `}
      {said(entry, heatMetric.value)}
      <span class="muted"> {tags.join(" · ")}</span>
    </span>
  );
}

/** `CPU total 87.3 %`, with the instance that speaks. */
function said(entry: Entry, metric: string): string {
  const found = reading(entry.latest, metric);
  if (!found) return `${pathWords(metric)} unknown`;
  const who = speaker(metric, found);
  return `${pathWords(metric)}${who ? ` (${who})` : ""} ${text(found.value, unitOf(metric), base())}`;
}

/** What a cell shows of its value, as one text: it is drawn again only when that is another one. */
function faceOf(entry: Entry, metric: string): string {
  const found = reading(entry.latest, metric);
  const value = found?.value ?? null;
  const level = levelOf(thresholdsFor(rulesOf(entry), entry.id, metric, found?.instance ?? ""), value);
  const share = value === null ? 0 : Math.round(100 * warmth(value, scale.value));
  return [level, share, short(value, metric, base())].join("\t");
}

function Cell({ entry, group, place, of, row, column }: ItemProps) {
  const { label } = entry.host.value;
  const standing = standingOf(entry);
  const known = standing !== "offline" && standing !== "archived" && standing !== "unknown";
  const [level, share, number] = useComputed(() => {
    entry.tick.value;
    return faceOf(entry, heatMetric.value);
  }).value.split("\t");
  /** Of the one cell that is pointed at. */
  const title = useComputed(() => {
    if (pointed.value !== entry) return undefined;
    entry.tick.value;
    const name = entry.host.value.label || entry.id;
    return `${name}: ${STANDING_WORDS[standingOf(entry)]}, ${said(entry, heatMetric.value)}`;
  });
  return (
    <li
      class={`cell level-${known ? level : "normal"} ${known ? "" : "gone"} ${isSelected(entry.id) ? "selected" : ""}`}
      style={{
        gridRow: `${row}`,
        gridColumn: `${column}`,
        "--warmth": `${known ? share : 0}%`,
      }}
      aria-setsize={of}
      aria-posinset={place}
      data-host={entry.id}
      data-group={group}
    >
      <a
        href={`/hosts/${entry.id}`}
        title={title}
        onPointerEnter={() => {
          pointed.value = entry;
        }}
        onFocus={() => {
          pointed.value = entry;
        }}
      >
        <span class="name" aria-hidden="true">
          {label || entry.id}
        </span>
        <span class="hidden">
          {label || entry.id}, {STANDING_WORDS[standing]},{" "}
        </span>
        {known ? number : <StandingIcon standing={standing} />}
      </a>
      <Pick entry={entry} />
    </li>
  );
}
