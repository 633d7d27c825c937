// One host on a card. Its numbers are there only while it is on the screen, so that a thousand cards cost what is visible.
import { useComputed } from "@preact/signals";
import { countsOf, ruleBodies, standingOf } from "../alerts/data.ts";
import { levelOf, thresholdsFor } from "../alerts/thresholds.ts";
import type { HostFacts } from "../api/types.gen.ts";
import { spark } from "../charts/spark.ts";
import { duration, quantity } from "../format.ts";
import { now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { BellIcon, DownIcon, STANDING_WORDS, StandingIcon, UpIcon } from "../shell/icons.tsx";
import { Age, isStale } from "./age.tsx";
import { useOnScreen } from "./on_screen.ts";
import { type Summary, summarise } from "./summary.ts";

const MINUTE_MS = 60_000;
const WIDTH = 100;
const HEIGHT = 30;

export function Card({ entry }: { entry: Entry }) {
  const [box, onScreen] = useOnScreen<HTMLLIElement>();
  const stale = useComputed(() => onScreen.value && isStale(entry, now.value));
  const host = entry.host.value;
  const { facts } = host;
  const standing = standingOf(entry);
  const offline = standing === "offline";
  return (
    <li ref={box} class={`card standing-${standing} ${offline ? "offline" : stale.value ? "stale" : ""}`}>
      <div class="card-head">
        <span class={`standing tone-${standing}`} title={STANDING_WORDS[standing]}>
          <StandingIcon standing={standing} />
          <span class="hidden">{STANDING_WORDS[standing]}</span>
        </span>
        <h2>
          <a href={`/hosts/${entry.id}`}>{entry.id}</a>
        </h2>
        <Badge entry={entry} />
        {onScreen.value && <Age entry={entry} />}
      </div>
      <div class="tags">
        {standing !== "up" && <b class={`tone-${standing}`}>{STANDING_WORDS[standing]}</b>}
        {(facts.tags.length > 0 ? facts.tags : nature(facts)).map((word) => (
          <span key={word}>{word}</span>
        ))}
      </div>
      {onScreen.value && <Numbers entry={entry} facts={facts} offline={offline} />}
    </li>
  );
}

interface NumbersProps {
  entry: Entry;
  facts: HostFacts;
  offline: boolean;
}

/** The part of a card that moves with every sample. */
function Numbers({ entry, facts, offline }: NumbersProps) {
  entry.tick.value;
  const summary = summarise(entry.latest, facts.cores);
  return (
    <>
      <div class="meters">
        <Meter entry={entry} name="CPU" path="cpu.total" instance="" value={summary.cpu} />
        <Meter entry={entry} name="Memory" path="memory.used_percent" instance="" value={summary.memory} />
        <Meter
          entry={entry}
          name={summary.space ? `Disk ${summary.space.instance}` : "Disk"}
          path="filesystem.used_percent"
          instance={summary.space?.instance ?? ""}
          value={summary.space?.value ?? null}
        />
        <Fourth entry={entry} summary={summary} gpus={facts.gpus.length} />
      </div>
      <Foot summary={summary} boot_time={facts.boot_time} offline={offline} />
    </>
  );
}

/** What a host without tags is known by. */
const nature = (facts: HostFacts): string[] =>
  [facts.os, facts.cores > 0 ? `${facts.cores} cores` : ""].filter((word) => word !== "");

/** The busiest GPU where there is one, the most used-up inodes elsewhere. */
function Fourth({ entry, summary, gpus }: { entry: Entry; summary: Summary; gpus: number }) {
  if (summary.gpu)
    return (
      <Meter
        entry={entry}
        name={gpus > 1 ? `GPU, busiest of ${gpus}` : "GPU"}
        path="gpu.utilisation"
        instance={summary.gpu.instance}
        value={summary.gpu.value}
      />
    );
  return (
    <Meter
      entry={entry}
      name={summary.inodes ? `Inodes ${summary.inodes.instance}` : "Inodes"}
      path="filesystem.inodes_percent"
      instance={summary.inodes?.instance ?? ""}
      value={summary.inodes?.value ?? null}
    />
  );
}

interface MeterProps {
  entry: Entry;
  name: string;
  path: string;
  instance: string;
  value: number | null;
}

function Meter({ entry, name, path, instance, value }: MeterProps) {
  const level = levelOf(thresholdsFor(ruleBodies.value, entry.id, path, instance), value);
  const number = quantity(value, "%");
  return (
    <div class={`meter level-${level}`}>
      <span class="name" title={name}>
        {name}
      </span>
      <span class="number">
        {number.value}
        <small>{number.unit}</small>
      </span>
      <Sparkline entry={entry} path={path} instance={instance} />
      <span class="bar">
        <i style={{ transform: `scaleX(${Math.min(1, (value ?? 0) / 100)})` }} />
      </span>
    </div>
  );
}

function Sparkline({ entry, path, instance }: { entry: Entry; path: string; instance: string }) {
  const ring = entry.rings.get(path)?.get(instance);
  if (!ring || ring.times.length < 2)
    return <svg class="spark" aria-hidden="true" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} />;
  // File systems are read every 10 s, the others every second: a pause of 2.5 readings breaks the line.
  const slow = path.startsWith("filesystem.");
  const right = slow ? (ring.times.at(-1) as number) : (entry.lastSample ?? 0);
  const { line, area } = spark(ring.times, ring.values, right, MINUTE_MS, slow ? 25_000 : 2500, WIDTH, HEIGHT, 100);
  return (
    <svg class="spark" aria-hidden="true" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
      <path class="area" d={area} />
      <path class="line" d={line} />
    </svg>
  );
}

function Foot({ summary, boot_time, offline }: { summary: Summary; boot_time: number; offline: boolean }) {
  const down = quantity(summary.received, "B/s", base());
  const up = quantity(summary.sent, "B/s", base());
  const load = quantity(summary.loadPerCore, "");
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
      {boot_time > 0 && (
        <span title="Time since boot">
          <small>{offline ? "was up" : "up"}</small> <Uptime boot_time={boot_time} />
        </span>
      )}
    </div>
  );
}

function Uptime({ boot_time }: { boot_time: number }) {
  const minute = useComputed(() => Math.floor(now.value / 60_000));
  const seconds = minute.value * 60 - boot_time;
  return <>{duration(seconds).split(" ")[0]}</>;
}

function Badge({ entry }: { entry: Entry }) {
  const { warning, critical } = countsOf(entry);
  const count = warning + critical;
  if (count === 0) return null;
  const words = `${count} ${count === 1 ? "alert fires" : "alerts fire"}`;
  return (
    <span class={`badge tone-${critical > 0 ? "critical" : "warning"}`} title={words}>
      <BellIcon />
      {count}
      <span class="hidden"> {words}</span>
    </span>
  );
}
