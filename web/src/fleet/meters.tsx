// The four meters of a card: a number, a bar, and the last minute as a line.
import type { ReadonlySignal } from "@preact/signals";
import { rulesOf } from "../alerts/data.ts";
import { levelOf, thresholdsFor } from "../alerts/thresholds.ts";
import { periodOf, unitOf } from "../api/catalogue.ts";
import type { Ring } from "../charts/ring.ts";
import { spark } from "../charts/spark.ts";
import { quantity } from "../format.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { StandingIcon } from "../shell/icons.tsx";
import { fourthMeter, type Summary, traffic } from "./summary.ts";
import { stepAbove, top, total } from "./traffic.ts";

const MINUTE_MS = 60_000;
const WIDTH = 100;
const HEIGHT = 30;

interface MetersProps {
  entry: Entry;
  summary: ReadonlySignal<Summary>;
  /** The lines take longer to draw than all else. */
  hasLines: boolean;
}

/** Its parts are called instead of being components of their own: all of them move together, every second. */
export function Meters(card: MetersProps) {
  card.entry.tick.value;
  const { cpu, memory, space } = card.summary.value;
  return (
    <div class="meters">
      {meter(card, { name: "CPU", path: "cpu.total", instance: "", value: cpu })}
      {meter(card, { name: "Memory", path: "memory.used_percent", instance: "", value: memory })}
      {meter(card, {
        name: space ? `Disk ${space.instance}` : "Disk",
        path: "filesystem.used_percent",
        instance: space?.instance ?? "",
        value: space?.value ?? null,
      })}
      {fourth(card)}
    </div>
  );
}

function fourth(card: MetersProps) {
  const summary = card.summary.value;
  const { inodes, gpu } = summary;
  const which = fourthMeter(summary);
  if (which === "inodes" && inodes)
    return meter(card, { name: `Inodes ${inodes.instance}`, path: "filesystem.inodes_percent", ...inodes });
  if (which === "gpu" && gpu) {
    const count = card.entry.host.value.facts.gpus.length;
    return meter(card, { name: count > 1 ? `GPU, top of ${count}` : "GPU", path: "gpu.utilisation", ...gpu });
  }
  return network(card, traffic(summary));
}

interface Metered {
  name: string;
  path: string;
  instance: string;
  value: number | null;
}

export const LEVEL_WORDS = { warning: "Past its warning threshold", critical: "Past its critical threshold" };

function meter({ entry, hasLines }: MetersProps, { name, path, instance, value }: Metered) {
  const thresholds = thresholdsFor(rulesOf(entry), entry.id, path, instance);
  const level = levelOf(thresholds, value);
  const number = quantity(value, "%");
  const ring = entry.rings.get(path)?.get(instance);
  return (
    <div class={`meter level-${level}`}>
      <span class="name" title={name}>
        {name}
      </span>
      <span class="number">
        {number.value}
        <small>{number.unit}</small>
        {level !== "normal" && (
          <span class="level" title={LEVEL_WORDS[level]}>
            <StandingIcon standing={level} />
            <span class="hidden">{LEVEL_WORDS[level]}</span>
          </span>
        )}
      </span>
      {hasLines && sparkline(entry, path, ring)}
      <span class="bar">
        <i style={{ width: `${Math.min(100, value ?? 0)}%` }} />
      </span>
    </div>
  );
}

/** Traffic has no top that a bar could be full at; its line takes that place too. */
function network({ entry, hasLines }: MetersProps, value: number | null) {
  const number = quantity(value, "B/s", base());
  return (
    <div class="meter traffic">
      <span class="name" title="Received and sent, all interfaces">
        Network
      </span>
      <span class="number">
        {number.value}
        <small>{number.unit}</small>
      </span>
      {hasLines && totalLine(entry, ["network.received", "network.sent"])}
    </div>
  );
}

/** The last minute of all instances of `paths` together, on a scale of its own. For those who follow the entry's `tick`. */
export function totalLine(entry: Entry, paths: readonly string[]) {
  const rings = paths.flatMap((path) => [...(entry.rings.get(path)?.values() ?? [])]);
  const all = total(rings, (entry.lastSample ?? 0) - MINUTE_MS);
  return sparkline(entry, paths[0] as string, all, top(all.values));
}

/**
 * The last minute of `ring`, for those who follow the entry's `tick`. `most`: the value at the upper edge; percent end at 100
 * otherwise, and others at a round number above the largest.
 */
export function sparkline(entry: Entry, path: string, ring: Pick<Ring, "times" | "values"> | undefined, most?: number) {
  if (!ring || ring.times.length < 2)
    return <svg class="spark" aria-hidden="true" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} />;
  const sample_ms = entry.host.value.facts.sample_interval_s * 1000;
  const period_ms = periodOf(path.split(".")[0] as string, sample_ms / 1000);
  // What is read less often than the host samples ends at its own last reading; 2.5 readings missed break the line, and
  // what is read no more leaves it.
  const newest = entry.lastSample ?? 0;
  const right = period_ms > sample_ms ? Math.max(ring.times.at(-1) as number, newest - 2.5 * period_ms) : newest;
  const edge = most ?? (unitOf(path) === "%" ? 100 : stepAbove(largestOf(ring.values)));
  const { line, area } = spark(ring.times, ring.values, right, MINUTE_MS, 2.5 * period_ms, WIDTH, HEIGHT, edge);
  return (
    <svg class="spark" aria-hidden="true" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
      <path class="area" d={area} />
      <path class="line" d={line} />
    </svg>
  );
}

const largestOf = (values: readonly (number | null)[]): number =>
  values.reduce<number>((most, value) => (value !== null && value > most ? value : most), 0);
