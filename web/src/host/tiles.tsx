// The host as it is: a tile each for CPU, memory, every file system and every GPU, and the traffic of networks and disks.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { rulesOf, standingOf } from "../alerts/data.ts";
import { levelOf, thresholdsFor } from "../alerts/thresholds.ts";
import { familyWord, metricWord } from "../api/catalogue.ts";
import type { HostFacts } from "../api/types.gen.ts";
import { moment, quantity, text } from "../format.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { DownIcon, UpIcon } from "../shell/icons.tsx";
import "../style/tiles.css";

const PEAK_MS = 60_000;
/** So many are shown at first on a phone, where the charts would be far below otherwise. */
const FEW = 6;

export function Tiles({ entry, facts }: { entry: Entry; facts: HostFacts }) {
  entry.tick.value;
  const all = useSignal(false);
  const { cpu, memory, filesystem = {}, gpu = {} } = entry.latest;
  const count = 2 + Object.keys(filesystem).length + Object.keys(gpu).length;
  const cores = cpu?.[""];
  const memoryNow = memory?.[""];
  const size = (value: number | null | undefined) => text(value, "B", base());
  const beside = (path: string, value: number | null | undefined, unit = "%") =>
    value === null || value === undefined ? [] : [`${metricWord(path)} ${text(value, unit)}`];
  return (
    <section aria-labelledby="now">
      <h2 id="now">{whenWords(entry)}</h2>
      <ul class={`tiles ${all.value ? "all" : ""}`}>
        {cores && (
          <Meter
            entry={entry}
            title={familyWord("cpu")}
            path="cpu.total"
            value={cores.total ?? null}
            beside={[...beside("cpu.load1", cores.load1, ""), ...(facts.cores > 0 ? [`${facts.cores} cores`] : [])]}
          />
        )}
        {memoryNow && (
          <Meter
            entry={entry}
            title={familyWord("memory")}
            path="memory.used_percent"
            value={memoryNow.used_percent ?? null}
            beside={[
              `${size(memoryNow.used)} of ${size(memoryNow.total)}`,
              ...(memoryNow.swap_total ? beside("memory.swap_percent", memoryNow.swap_percent) : []),
            ]}
          />
        )}
        {Object.entries(filesystem).map(([mount, values]) => (
          <Meter
            key={mount}
            entry={entry}
            title={mount}
            path="filesystem.used_percent"
            instance={mount}
            value={values.used_percent ?? null}
            beside={[
              values.stuck ? "does not answer" : `${size(values.available)} free`,
              ...(values.read_only ? ["read-only"] : []),
              ...beside("filesystem.inodes_percent", values.inodes_percent),
            ]}
          />
        ))}
        {Object.entries(gpu).map(([name, values]) => (
          <Meter
            key={name}
            entry={entry}
            title={`${familyWord("gpu")} ${name}`}
            path="gpu.utilisation"
            instance={name}
            value={values.utilisation ?? null}
            beside={[
              ...beside("gpu.memory_percent", values.memory_percent),
              text(values.temperature, "°C"),
              text(values.power, "W"),
            ]}
          />
        ))}
        <Traffic entry={entry} family="network" metrics={["received", "sent"]} />
        <Traffic entry={entry} family="disk" metrics={["read", "write"]} />
      </ul>
      {count > FEW && (
        <button
          type="button"
          class="quiet all-tiles"
          aria-expanded={all.value}
          onClick={() => {
            all.value = !all.value;
          }}
        >
          {all.value ? "Show the first" : `Show all ${count}`}
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

interface MeterProps {
  entry: Entry;
  title: string;
  /** Metric path of a share in percent. */
  path: string;
  instance?: string;
  value: number | null;
  /** What else there is to say, the most important first: the end is cut off where room is short. */
  beside: string[];
}

function Meter({ entry, title, path, instance = "", value, beside }: MeterProps) {
  const limits = thresholdsFor(rulesOf(entry), entry.id, path, instance);
  const level = levelOf(limits, value);
  entry.tick.value;
  const ring = entry.rings.get(path)?.get(instance);
  const peak = ring?.peak((entry.lastSample ?? 0) - PEAK_MS) ?? null;
  const peakWords = peak === null ? "" : `peak of the last minute ${text(peak, "%")}`;
  const number = quantity(value, "%");
  const said = beside.join(" · ");
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
        aria-valuetext={`${metricWord(path)} ${text(value, "%")}${level === "normal" ? "" : `, ${level}`}. ${peakWords}`}
      >
        <i class="fill" style={{ transform: `scaleX(${share(value)})` }} />
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
        const number = quantity(total, "B/s", base());
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
