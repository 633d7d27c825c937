// A host's name, state and facts, and the range that its charts show.
import type { ReadonlySignal, Signal } from "@preact/signals";
import { standingOf } from "../alerts/data.ts";
import type { HostFacts } from "../api/types.gen.ts";
import type { Window } from "../charts/window.ts";
import { Age } from "../fleet/age.tsx";
import { duration, moment, text } from "../format.ts";
import { now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { fleetHref } from "../router.ts";
import { BackIcon, STANDING_WORDS, StandingIcon } from "../shell/icons.tsx";
import { RangePicker } from "./range.tsx";

/** What is shown around the last sample of a host that went away. */
const BEFORE_MS = 840_000;
const AFTER_MS = 60_000;

interface HeadProps {
  entry: Entry;
  window: ReadonlySignal<Window>;
  edge: ReadonlySignal<number>;
  lastPreset: Signal<string>;
}

export function Head({ entry, window, edge, lastPreset }: HeadProps) {
  const { facts } = entry.host.value;
  const standing = standingOf(entry);
  return (
    <div class="host-head">
      <div class="who">
        <a class="back" href={fleetHref()} title="Back to the fleet">
          <BackIcon />
          <span class="hidden">Fleet</span>
        </a>
        <h1>{entry.id}</h1>
        <span class={`state tone-${standing}`}>
          <StandingIcon standing={standing} />
          {STANDING_WORDS[standing]}
        </span>
        <Age entry={entry} />
        {standing === "offline" && entry.lastSample !== null && (
          <a href={`/hosts/${entry.id}?from=${entry.lastSample - BEFORE_MS}&to=${entry.lastSample + AFTER_MS}`}>
            See its last samples
          </a>
        )}
        <RangePicker window={window.value} now={() => edge.peek()} lastPreset={lastPreset} />
      </div>
      <Facts facts={facts} />
    </div>
  );
}

function Facts({ facts }: { facts: HostFacts }) {
  const minute = Math.floor(now.value / 60_000);
  const chips: [string, string, string?][] = [
    ["System", [facts.os, facts.architecture].filter(Boolean).join(" · ")],
    ["Kernel", facts.kernel],
    ["Processor", [facts.cpu_model, facts.cores ? `${facts.cores} cores` : ""].filter(Boolean).join(" · ")],
    ["Memory", facts.memory ? text(facts.memory, "B", base()) : ""],
    ["GPU", counted(facts.gpus)],
    ["Runs in", facts.virtualisation],
    ["Address", facts.addresses[0] ?? "", facts.addresses.join("\n")],
    [
      "Up",
      facts.boot_time ? duration(minute * 60 - facts.boot_time) : "",
      facts.boot_time ? `Booted ${moment(facts.boot_time * 1000)}` : "",
    ],
    ["Agent", facts.agent_version],
  ];
  return (
    <dl class="facts">
      {facts.hostname && (
        <div>
          <dt>Name</dt>
          <dd>{facts.hostname}</dd>
        </div>
      )}
      {chips
        .filter(([, value]) => value)
        .map(([name, value, title]) => (
          <div key={name} title={title || undefined}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      {facts.tags.length > 0 && (
        <div>
          <dt>Tags</dt>
          <dd>{facts.tags.join(", ")}</dd>
        </div>
      )}
    </dl>
  );
}

/** Names with how often each occurs: `4 × NVIDIA H100`. */
function counted(names: string[]): string {
  return [...new Set(names)]
    .map((name) => {
      const count = names.filter((one) => one === name).length;
      return count > 1 ? `${count} × ${name}` : name;
    })
    .join(", ");
}
