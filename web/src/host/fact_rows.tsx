// Everything that a host told of itself, its identity, and what can be done with it.
import type { Loader } from "../api/loading.ts";
import type { HostFacts, HostIdentity } from "../api/types.gen.ts";
import { moment } from "../format.ts";
import type { Entry } from "../live/store.ts";
import { identityFacts } from "./identity.ts";
import { Parting } from "./parting.tsx";

interface FactRowsProps {
  entry: Entry;
  identity: Loader<HostIdentity | undefined>;
}

export function FactRows({ entry, identity }: FactRowsProps) {
  const { facts, state } = entry.host.value;
  return (
    <>
      <dl>
        {[...rowsOf(facts), ...identityRows(identity)].map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Parting
        id={entry.id}
        archived={state === "archived"}
        revocable={identity.state.value.value?.revoked === null}
        onChanged={identity.load}
      />
    </>
  );
}

function identityRows({ state }: Loader<HostIdentity | undefined>): [string, string][] {
  const { value, error } = state.value;
  if (error !== null) return [["Identity", `not known at the moment: ${error}`]];
  return value ? identityFacts(value) : [];
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
