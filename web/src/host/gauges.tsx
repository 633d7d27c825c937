// The host in one row: a gauge each for CPU, memory, every file system and every GPU. The outer ring is what the name
// says, the inner one its companion (load, swap, inodes, GPU memory).
import { ruleBodies } from "../alerts/data.ts";
import { levelOf, thresholdsFor } from "../alerts/thresholds.ts";
import type { HostFacts } from "../api/types.gen.ts";
import { quantity, text } from "../format.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { arc, type Point, tick } from "./arc.ts";

const MIDDLE: Point = { x: 64, y: 60 };
const OUTER = 50;
const INNER = 39;
const PEAK_MS = 60_000;

interface Ring {
  name: string;
  path: string;
  instance: string;
  value: number | null;
  /** Where another number than the share itself is told. */
  told?: string;
}

interface GaugeProps {
  entry: Entry;
  title: string;
  outer: Ring;
  inner: Ring | null;
  detail: string[];
}

function Gauge({ entry, title, outer, inner, detail }: GaugeProps) {
  const rules = ruleBodies.value;
  const limits = thresholdsFor(rules, entry.id, outer.path, outer.instance);
  const innerLimits = inner && thresholdsFor(rules, entry.id, inner.path, inner.instance);
  const level = levelOf(limits, outer.value);
  const innerLevel = inner ? levelOf(innerLimits, inner.value) : "normal";
  const peak =
    entry.rings
      .get(outer.path)
      ?.get(outer.instance)
      ?.peak((entry.lastSample ?? 0) - PEAK_MS) ?? null;
  const peakText = text(peak, "%");
  const number = quantity(outer.value, "%");
  const innerText = inner ? `${inner.name} ${inner.told ?? text(inner.value, "%")}` : "";
  return (
    <li class="gauge panel">
      <h3 title={title}>{title}</h3>
      {/* biome-ignore lint/a11y/useSemanticElements: <meter> draws its own bar and holds no picture */}
      <div
        role="meter"
        aria-label={title}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={outer.value ?? 0}
        aria-valuetext={`${outer.name} ${text(outer.value, "%")}${level === "normal" ? "" : `, ${level}`}. ${innerText}`}
        class={`dial level-${level}`}
      >
        <svg viewBox="0 0 128 94" aria-hidden="true">
          <path class="track" d={arc(1, OUTER, MIDDLE)} />
          <path class="value" d={arc((outer.value ?? 0) / 100, OUTER, MIDDLE)} />
          {inner && (
            <g class={`inner level-${innerLevel}`}>
              <path class="track" d={arc(1, INNER, MIDDLE)} />
              <path class="value" d={arc((inner.value ?? 0) / 100, INNER, MIDDLE)} />
            </g>
          )}
          {limits?.warning != null && (
            <path class="limit tone-warning" d={tick(limits.warning / 100, OUTER + 6, OUTER + 11, MIDDLE)} />
          )}
          {limits?.critical != null && (
            <path class="limit tone-critical" d={tick(limits.critical / 100, OUTER + 6, OUTER + 11, MIDDLE)} />
          )}
          {peak !== null && <path class="peak" d={tick(peak / 100, OUTER - 4, OUTER + 4, MIDDLE)} />}
        </svg>
        <span class="number" data-metric={outer.path} data-instance={outer.instance}>
          {number.value}
          <small>{number.unit}</small>
        </span>
        {level !== "normal" && <b class={`word tone-${level}`}>{level}</b>}
      </div>
      <p class="detail">
        {inner && <span class={`companion level-${innerLevel}`}>{innerText}</span>}
        {detail.map((one) => (
          <span key={one}>{one}</span>
        ))}
        {peak !== null && peakText !== text(outer.value, "%") && (
          <span title="Largest value of the last minute, the mark across the ring">peak {peakText}</span>
        )}
      </p>
    </li>
  );
}

export function Gauges({ entry, facts }: { entry: Entry; facts: HostFacts }) {
  entry.tick.value;
  const { cpu, memory, filesystem = {}, gpu = {} } = entry.latest;
  const cores = cpu?.[""];
  const memoryNow = memory?.[""];
  const load = cores?.load1 ?? null;
  const perCore = load !== null && facts.cores > 0 ? load / facts.cores : null;
  const size = (value: number | null | undefined) => text(value, "B", base());
  return (
    <ul class="gauges">
      {cores && (
        <Gauge
          entry={entry}
          title="CPU"
          outer={{ name: "busy", path: "cpu.total", instance: "", value: cores.total ?? null }}
          inner={{
            name: "load",
            path: "cpu.load1",
            instance: "",
            value: perCore === null ? null : Math.min(100, perCore * 100),
            told: text(load, ""),
          }}
          detail={facts.cores > 0 ? [`${facts.cores} cores`] : []}
        />
      )}
      {memoryNow && (
        <Gauge
          entry={entry}
          title="Memory"
          outer={{ name: "used", path: "memory.used_percent", instance: "", value: memoryNow.used_percent ?? null }}
          inner={
            memoryNow.swap_total
              ? { name: "swap", path: "memory.swap_percent", instance: "", value: memoryNow.swap_percent ?? null }
              : null
          }
          detail={[`${size(memoryNow.used)} of ${size(memoryNow.total)}`]}
        />
      )}
      {Object.entries(filesystem).map(([mount, now]) => (
        <Gauge
          key={mount}
          entry={entry}
          title={mount}
          outer={{
            name: "space used",
            path: "filesystem.used_percent",
            instance: mount,
            value: now.used_percent ?? null,
          }}
          inner={
            now.inodes_percent == null
              ? null
              : { name: "inodes", path: "filesystem.inodes_percent", instance: mount, value: now.inodes_percent }
          }
          detail={[
            now.stuck ? "does not answer" : `${size(now.available)} free`,
            ...(now.read_only ? ["read-only"] : []),
          ]}
        />
      ))}
      {Object.entries(gpu).map(([name, now]) => (
        <Gauge
          key={name}
          entry={entry}
          title={name}
          outer={{ name: "busy", path: "gpu.utilisation", instance: name, value: now.utilisation ?? null }}
          inner={{ name: "memory", path: "gpu.memory_percent", instance: name, value: now.memory_percent ?? null }}
          detail={[text(now.temperature, "°C"), text(now.power, "W")]}
        />
      ))}
      <Traffic entry={entry} title="Network" family="network" metrics={["received", "sent"]} />
      <Traffic entry={entry} title="Disks" family="disk" metrics={["read", "write"]} />
    </ul>
  );
}

interface TrafficProps {
  entry: Entry;
  title: string;
  family: string;
  metrics: [string, string];
}

/** What has no natural full scale is told in numbers: both directions, over all instances and for the busiest one. */
function Traffic({ entry, title, family, metrics }: TrafficProps) {
  const instances = Object.entries(entry.latest[family] ?? {});
  if (instances.length === 0) return null;
  const words: Record<string, string> = { write: "written" };
  return (
    <li class="gauge panel traffic">
      <h3>{title}</h3>
      <dl>
        {metrics.map((name) => {
          const values = instances.map(([, now]) => now[name]).filter((value) => value !== null && value !== undefined);
          const total = values.length > 0 ? values.reduce((sum, value) => sum + value, 0) : null;
          const number = quantity(total, "B/s", base());
          return (
            <div key={name}>
              <dt>{words[name] ?? name}</dt>
              <dd>
                {number.value} <small>{number.unit}</small>
              </dd>
            </div>
          );
        })}
      </dl>
      <p class="detail">
        {instances.length > 1 ? <span>sum of {instances.length}</span> : <span>{instances[0]?.[0]}</span>}
      </p>
    </li>
  );
}
