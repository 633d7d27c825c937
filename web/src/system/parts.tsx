// The parts of Sonde, each with what was found of it, and of a service its instances.
import type { Component, HealthStatus, Instance } from "../api/types.gen.ts";
import { age, text } from "../format.ts";
import { base } from "../preferences.ts";
import { StandingIcon } from "../shell/icons.tsx";
import { measures, partWord, STATUS_STANDING, STATUS_WORDS } from "./words.ts";

export function StatusWord({ status }: { status: HealthStatus }) {
  return (
    <span class={`status tone-${STATUS_STANDING[status]}`}>
      <StandingIcon standing={STATUS_STANDING[status]} />
      {STATUS_WORDS[status]}
    </span>
  );
}

/** The services each with its numbers; below them what they stand on, and what they look after. */
export function Parts({ parts }: { parts: readonly Component[] }) {
  const services = parts.filter((part) => part.instances.length > 0 || SERVICES.has(part.name));
  return (
    <>
      <ul class="services">
        {services.map((part) => (
          <li key={part.name} class={`panel service ${part.status}`} data-part={part.name} data-status={part.status}>
            <header>
              <h2>{partWord(part.name)}</h2>
              <StatusWord status={part.status} />
            </header>
            {part.status !== "ok" && <p>{sentence(part.detail)}</p>}
            {part.instances.map((one) => (
              <OneInstance key={one.heartbeat.instance} instance={one} alone={part.instances.length === 1} />
            ))}
          </li>
        ))}
      </ul>
      <dl class="panel parts">
        {parts
          .filter((part) => !services.includes(part))
          .map((part) => (
            <div key={part.name} class={part.status} data-part={part.name} data-status={part.status}>
              <dt>{partWord(part.name)}</dt>
              <dd>
                <StatusWord status={part.status} />
              </dd>
              <dd>{sentence(part.detail)}</dd>
            </div>
          ))}
      </dl>
    </>
  );
}

/** Also while none of their instances is heard. */
const SERVICES: ReadonlySet<string> = new Set(["ingest", "alerts", "retention", "gateway"]);

const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** A service tells its numbers every 5 s; later they are told with their age. */
const SILENT_S = 12;

function OneInstance({ instance, alone }: { instance: Instance; alone: boolean }) {
  const { heartbeat, status, silent_s } = instance;
  const isOld = silent_s > SILENT_S;
  return (
    <div
      class={`instance ${isOld ? "stale" : ""}`}
      title={`Version ${heartbeat.version}, process ${heartbeat.pid} on ${heartbeat.host}`}
    >
      {!alone && (
        <h3>
          {heartbeat.host} <small>process {heartbeat.pid}</small> <StatusWord status={status} />
        </h3>
      )}
      {isOld && <p>What it said last, {age(1000 * silent_s)} ago:</p>}
      <dl>
        {[...measures(heartbeat), ["Memory", text(heartbeat.rss_bytes, "B", base())]].map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {heartbeat.errors_last_minute > 0 && heartbeat.last_error && <p class="error">{heartbeat.last_error}</p>}
    </div>
  );
}
