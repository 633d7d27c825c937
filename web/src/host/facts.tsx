// What a host is: the most important of it in a line, the rest behind it.
import type { Loader } from "../api/loading.ts";
import type { HostFacts, HostIdentity } from "../api/types.gen.ts";
import { duration, moment, text } from "../format.ts";
import { known, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { lazy } from "../shell/lazy.tsx";
import { identityFacts } from "./identity.ts";

const Parting = lazy("what can be done with it", async () => (await import("./parting.tsx")).Parting);

interface FactsProps {
  entry: Entry;
  identity: Loader<HostIdentity | undefined>;
}

export function Facts({ entry, identity }: FactsProps) {
  const { facts, update } = entry.host.value;
  const line = [
    facts.os,
    facts.cores ? `${facts.cores} cores` : "",
    facts.memory ? text(facts.memory, "B", base()) : "",
    uptime(entry),
    facts.agent_version ? `agent ${facts.agent_version}${update === "other" ? ", not the gateway’s version" : ""}` : "",
  ].filter(Boolean);
  const held = identity.state.value.value;
  const rows = [...rowsOf(facts), ...identityRows(identity)];
  return (
    <details class="facts">
      <summary>
        <span>{line.join(" · ") || "No facts told yet"}</span>
        <span class="open-word">Details</span>
      </summary>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Parting
        id={entry.id}
        archived={entry.host.value.state === "archived"}
        revocable={held?.revoked === null}
        onChanged={identity.load}
      />
    </details>
  );
}

function identityRows({ state }: Loader<HostIdentity | undefined>): [string, string][] {
  const { value, error } = state.value;
  if (error !== null) return [["Identity", `not known at the moment: ${error}`]];
  return value ? identityFacts(value) : [];
}

/** `up 12 d 4 h`; a host that is away was up when it last told, and nobody knows more. */
function uptime(entry: Entry): string {
  const { facts, state } = entry.host.value;
  if (!facts.boot_time) return "";
  const here = known.value && state !== "offline" && state !== "archived";
  const at_s = here ? Math.floor(now.value / 60_000) * 60 : (entry.lastSample ?? 0) / 1000;
  return at_s > facts.boot_time ? `${here ? "up" : "was up"} ${duration(at_s - facts.boot_time)}` : "";
}

function rowsOf(facts: HostFacts): [string, string][] {
  const rows: [string, string][] = [
    ["Name", facts.hostname],
    ["System", [facts.os, facts.architecture].filter(Boolean).join(" · ")],
    ["Kernel", facts.kernel],
    ["Processor", [facts.cpu_model, facts.cores ? `${facts.cores} cores` : ""].filter(Boolean).join(" · ")],
    ["GPU", counted(facts.gpus)],
    ["Runs in", facts.virtualisation],
    ["Addresses", facts.addresses.join(", ")],
    ["Time zone", facts.time_zone],
    ["Booted", facts.boot_time ? moment(facts.boot_time * 1000) : ""],
  ];
  return rows.filter(([, value]) => value);
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
