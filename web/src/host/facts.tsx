// What a host is: the most important of it in a line, the rest behind it.
import { useSignal } from "@preact/signals";
import type { Loader } from "../api/loading.ts";
import type { HostIdentity } from "../api/types.gen.ts";
import { duration, text } from "../format.ts";
import { known, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { lazy } from "../shell/lazy.tsx";

const FactRows = lazy("the facts", async () => (await import("./fact_rows.tsx")).FactRows);

interface FactsProps {
  entry: Entry;
  identity: Loader<HostIdentity | undefined>;
}

export function Facts({ entry, identity }: FactsProps) {
  const { facts, update } = entry.host.value;
  const opened = useSignal(false);
  const line = [
    facts.os,
    facts.cores ? `${facts.cores} cores` : "",
    facts.memory ? text(facts.memory, "B", base()) : "",
    uptime(entry),
    facts.agent_version ? `agent ${facts.agent_version}${update === "other" ? ", not the gateway’s version" : ""}` : "",
  ].filter(Boolean);
  return (
    <details
      class="facts"
      onToggle={() => {
        opened.value = true;
      }}
    >
      <summary>
        <span>{line.join(" · ") || "No data yet"}</span>
        <span class="open-word">Details</span>
      </summary>
      {opened.value && <FactRows entry={entry} identity={identity} />}
    </details>
  );
}

/** `up 12 d 4 h`; a host that is away was up when it last told, and nobody knows more. */
function uptime(entry: Entry): string {
  const { facts, state } = entry.host.value;
  if (!facts.boot_time) return "";
  const here = known.value && state !== "offline" && state !== "archived";
  const at_s = here ? Math.floor(now.value / 60_000) * 60 : (entry.lastSample ?? 0) / 1000;
  return at_s > facts.boot_time ? `${here ? "up" : "was up"} ${duration(at_s - facts.boot_time)}` : "";
}
