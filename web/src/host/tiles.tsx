// The host as it is: a tile each for CPU, memory, every file system and every GPU, and the traffic of networks and disks.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { rulesOf, standingOf } from "../alerts/data.ts";
import { type Level, levelOf, type Thresholds, thresholdsFor } from "../alerts/thresholds.ts";
import { familyWord, metricWord, periodOf, unitOf } from "../api/catalogue.ts";
import type { HostFacts } from "../api/types.gen.ts";
import { clock, moment, quantity, text } from "../format.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { DownIcon, UpIcon } from "../shell/icons.tsx";
import { hiddenOf, isLate, type MeterTile, metersOf } from "./meters.ts";
import "../style/tiles.css";

const PEAK_MS = 60_000;

export function Tiles({ entry, facts }: { entry: Entry; facts: HostFacts }) {
  entry.tick.value;
  const all = useSignal(false);
  const rules = rulesOf(entry);
  const meters = metersOf(entry.latest, facts.cores, base()).map((tile) => {
    const limits = thresholdsFor(rules, entry.id, tile.path, tile.instance);
    return { ...tile, limits, level: levelOf(limits, tile.value) };
  });
  const hidden = hiddenOf(meters.map(({ level }) => level));
  return (
    <section aria-labelledby="now">
      <h2 id="now">{whenWords(entry)}</h2>
      <ul class={`tiles ${all.value ? "all" : ""}`}>
        {meters.map((tile) => (
          <Meter key={`${tile.path} ${tile.instance}`} entry={entry} {...tile} />
        ))}
        <Traffic entry={entry} family="network" metrics={["received", "sent"]} />
        <Traffic entry={entry} family="disk" metrics={["read", "write"]} />
      </ul>
      {hidden > 0 && (
        <button
          type="button"
          class="quiet all-tiles"
          aria-expanded={all.value}
          onClick={() => {
            all.value = !all.value;
          }}
        >
          {all.value ? "Show the first" : `Show ${hidden} more`}
        </button>
      )}
    </section>
  );
}

/** What the tiles tell of: they stay with the present whatever the charts show. */
function whenWords(entry: Entry): ComponentChildren {
  const standing = standingOf(entry);
  if (standing !== "offline" && standing !== "archived" && standing !== "unknown") return "Now";
  return (
    <>
      Last known <small>{entry.lastSample === null ? "" : moment(entry.lastSample)}</small>
    </>
  );
}

interface MeterProps extends MeterTile {
  entry: Entry;
  limits: Thresholds | null;
  level: Level;
}

function Meter({ entry, title, path, instance, value, beside, limits, level }: MeterProps) {
  const ring = entry.rings.get(path)?.get(instance);
  const sampled = ring?.times.at(-1);
  const family = path.slice(0, path.indexOf("."));
  const late = isLate(sampled, entry.lastSample, periodOf(family, entry.host.value.facts.sample_interval_s));
  const peak = ring?.peak((entry.lastSample ?? 0) - PEAK_MS) ?? null;
  const peakWords = peak === null ? "" : `peak of the last minute ${text(peak, unitOf(path))}`;
  const number = quantity(value, unitOf(path));
  const said = [...(late ? [`as of ${clock(sampled as number)}`] : []), ...beside].join(" · ");
  return (
    <li class={`tile panel level-${level}`} title={[title, said, peakWords].filter(Boolean).join("\n")}>
      <span class="name">{title}</span>
      {level !== "normal" && <b class={`tone-${level}`}>{level}</b>}
      <span class="number" data-metric={path} data-instance={instance}>
        {number.value}
        <small>{number.unit}</small>
      </span>
      {/* biome-ignore lint/a11y/useSemanticElements: <meter> has no place for marks of limits and of the peak */}
      <div
        class="track"
        role="meter"
        aria-label={title}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={value ?? 0}
        aria-valuetext={`${metricWord(path)} ${text(value, unitOf(path))}${level === "normal" ? "" : `, ${level}`}. ${peakWords}`}
      >
        <i class="fill" style={{ width: `${share(value) * 100}%` }} />
        {peak !== null && <i class="mark peak" style={{ left: `${share(peak) * 100}%` }} />}
        {limits?.warning != null && <i class="mark warning" style={{ left: `${share(limits.warning) * 100}%` }} />}
        {limits?.critical != null && <i class="mark critical" style={{ left: `${share(limits.critical) * 100}%` }} />}
      </div>
      <span class="beside">{said}</span>
    </li>
  );
}

const share = (percent: number | null): number => Math.min(1, Math.max(0, (percent ?? 0) / 100));

interface TrafficProps {
  entry: Entry;
  family: string;
  /** What comes in, and what goes out. */
  metrics: [string, string];
}

/** What has no natural full scale is told in numbers: both directions, over all instances. */
function Traffic({ entry, family, metrics }: TrafficProps) {
  entry.tick.value;
  const instances = Object.entries(entry.latest[family] ?? {});
  if (instances.length === 0) return null;
  return (
    <li class="tile panel traffic">
      <span class="name">{familyWord(family)}</span>
      <span class="beside">{instances.length > 1 ? `sum of ${instances.length}` : instances[0]?.[0]}</span>
      {metrics.map((name, at) => {
        const values = instances.map(([, now]) => now[name]).filter((value) => value !== null && value !== undefined);
        const total = values.length > 0 ? values.reduce((sum, value) => sum + value, 0) : null;
        const number = quantity(total, unitOf(`${family}.${name}`), base());
        return (
          <span key={name} class="rate" title={metricWord(`${family}.${name}`)}>
            {at === 0 ? <DownIcon /> : <UpIcon />}
            <span class="hidden">{metricWord(`${family}.${name}`)} </span>
            {number.value}
            <small>{number.unit}</small>
          </span>
        );
      })}
    </li>
  );
}
