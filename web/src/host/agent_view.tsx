// How the agent of a host is: its version, what it has not sent yet, what it lost, its clock, and orders to it.
import { useSignal } from "@preact/signals";
import { rulesOf } from "../alerts/data.ts";
import { levelOf, thresholdsFor } from "../alerts/thresholds.ts";
import { familyOf } from "../api/catalogue.ts";
import { reasonOf, request } from "../api/client.ts";
import type { CommandReply, UpdateState, Verb } from "../api/types.gen.ts";
import { moment, text } from "../format.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { Action } from "../shell/allowed.tsx";
import { useSending } from "../shell/sending.ts";
import { replyWords } from "./orders.ts";
import "../style/host_sections.css";

const UPDATE_WORDS: Record<UpdateState, string> = {
  current: "the gateway’s version",
  other: "not the gateway’s version",
  unknown: "",
};

export function AgentView({ entry }: { entry: Entry }) {
  const { facts, update, state } = entry.host.value;
  entry.tick.value;
  const values = entry.latest.agent?.[""] ?? {};
  const told =
    familyOf("agent")?.metrics.filter(({ name }) => values[name] !== undefined && values[name] !== null) ?? [];
  return (
    <section class="agent-view panel" aria-labelledby="agent">
      <header>
        <h2 id="agent">Agent {facts.agent_version}</h2>
        <span class={update === "other" ? "tone-warning" : "muted"}>{UPDATE_WORDS[update]}</span>
        <span class="resolution">{entry.lastSample !== null && `as of ${moment(entry.lastSample)}`}</span>
      </header>
      {facts.config_error && (
        <p class="notice bad" role="status">
          It refuses its settings: {facts.config_error}
        </p>
      )}
      {told.length === 0 && <p class="muted">No data yet.</p>}
      <dl class="readings">
        {told.map(({ name, label, unit, meaning }) => {
          const value = values[name] ?? null;
          const level = levelOf(thresholdsFor(rulesOf(entry), entry.id, `agent.${name}`, ""), value);
          return (
            <div key={name} title={meaning} class={`level-${level}`}>
              <dt>{label.charAt(0).toUpperCase() + label.slice(1)}</dt>
              <dd data-metric={`agent.${name}`}>
                {text(value, unit, base())}
                {level !== "normal" && <b class={`tone-${level}`}> {level}</b>}
              </dd>
            </div>
          );
        })}
      </dl>
      {state !== "archived" && <Orders host={entry.id} />}
    </section>
  );
}

const ORDERS: Record<Verb, [words: string, meaning: string]> = {
  ping: ["Ping", "Ask whether it answers"],
  flush: ["Send now", "Send at once what waits to be sent"],
  rescan: ["Scan directories", "Measure its directories now"],
  status: ["Status", "What it says of itself"],
};

function Orders({ host }: { host: string }) {
  const { busy, send } = useSending();
  const outcome = useSignal<{ ok: boolean; lines: [string, string][] } | null>(null);

  async function order(verb: Verb): Promise<void> {
    outcome.value = null;
    await send(async () => {
      try {
        const reply = await request<CommandReply>("POST", `/hosts/${encodeURIComponent(host)}/commands/${verb}`);
        outcome.value = { ok: reply.ok, lines: replyWords(verb, reply) };
      } catch (reason) {
        outcome.value = { ok: false, lines: [["", reasonOf(reason)]] };
      }
    });
  }
  return (
    <div class="orders">
      <h3>Orders</h3>
      {(Object.keys(ORDERS) as Verb[]).map((verb) => (
        <Action key={verb} needs="operator" title={ORDERS[verb][1]} onClick={() => void order(verb)}>
          {ORDERS[verb][0]}
        </Action>
      ))}
      <div class="reply" role="status">
        {busy && <p class="muted">Waiting for the agent …</p>}
        {outcome.value && (
          <dl class={outcome.value.ok ? "" : "tone-critical"}>
            {outcome.value.lines.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </div>
  );
}
