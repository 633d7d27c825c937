// What a rule that is being written would have done with what is stored: asked for, watched, called off, and shown.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Failure, get, request } from "../api/client.ts";
import type { Episode, Outcome, Rehearsal, Rule } from "../api/types.gen.ts";
import { duration, moment, text } from "../format.ts";
import { base } from "../preferences.ts";
import { Scroller } from "../shell/scroller.tsx";
import "../style/telling.css";
import { isOver, limitsOf, outcomeWords, playable, REACHES } from "./rehearsal.ts";

interface RehearsingProps {
  rule: Rule;
  /** Tells what is wrong with the rule, where it is; whether it can be played. */
  check: () => boolean;
}

interface Played {
  /** As it was asked for. */
  rule: string;
  days: number;
  /** Null: the gateway has not answered yet. */
  told: Rehearsal | null;
  failure: string | null;
  /** Somebody does not want it any more. */
  off: boolean;
}

/** Most episodes in the table. */
const SHOWN = 50;
/** An answer about one that goes on comes so often. */
const WAIT_S = 1;

export function Rehearsing({ rule, check }: RehearsingProps) {
  const days = useSignal(7);
  const played = useSignal<Played | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => () => callOff(played), [played]);

  const now = played.value;
  const goes = now !== null && !now.off && now.failure === null && (now.told === null || !isOver(now.told));
  const stale = now !== null && now.rule !== JSON.stringify(playable(rule));
  return (
    <section class="rehearsal" aria-label="Rehearsal">
      <div class="actions">
        <button
          ref={button}
          type="button"
          aria-disabled={goes}
          onClick={() => {
            if (!goes && check()) void play(played, rule, days.value);
          }}
        >
          Try it
        </button>
        <label>
          <span class="hidden">Try it </span>on{" "}
          <select
            name="reach"
            value={String(days.value)}
            onChange={(event) => {
              days.value = Number(event.currentTarget.value);
            }}
          >
            {REACHES.map(([count, words]) => (
              <option key={count} value={String(count)}>
                {words}
              </option>
            ))}
          </select>
        </label>
        {goes && (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              callOff(played);
              button.current?.focus();
            }}
          >
            Call it off
          </button>
        )}
      </div>
      {goes && (
        <progress
          aria-label="Hosts played"
          max={1}
          value={now.told?.state === "running" ? now.told.progress : undefined}
        />
      )}
      <div role="status">{now && <State played={now} stale={stale} />}</div>
      {now?.told?.outcome && <Episodes outcome={now.told.outcome} />}
    </section>
  );
}

function State({ played: { told, failure, off, days }, stale }: { played: Played; stale: boolean }) {
  if (failure !== null) return <p class="error">{failure}</p>;
  if (off || told?.state === "cancelled") return <p class="hint">Called off.</p>;
  if (told === null || told.state === "waiting") return <p class="hint">It waits for its turn …</p>;
  if (told.state === "running") return <p class="hint">The rule is played over what is stored …</p>;
  if (told.state === "failed" || !told.outcome) return <p class="error">It could not be tried: {told.reason}</p>;
  return (
    <>
      <p>
        <b>{outcomeWords(told.outcome)}</b>
      </p>
      {limitsOf(told.outcome, days).map((words) => (
        <p key={words} class="hint">
          {words}
        </p>
      ))}
      {stale && <p class="tone-warning">You have changed the rule since: try it again.</p>}
    </>
  );
}

async function play(played: Signal<Played | null>, rule: Rule, days: number): Promise<void> {
  const asked = playable(rule);
  const mine: Played = { rule: JSON.stringify(asked), days, told: null, failure: null, off: false };
  let latest = mine;
  const put = (change: Partial<Played>): void => {
    latest = { ...latest, ...change };
    played.value = latest;
  };
  played.value = mine;
  /** Called off, or another one was asked for. */
  const dropped = () => played.peek() !== latest;
  try {
    let told = await request<Rehearsal>("POST", "/rehearsals", { body: { rule: asked, days } });
    while (!dropped()) {
      put({ told });
      if (isOver(told)) return;
      told = await get<Rehearsal>(`/rehearsals/${told.id}?wait_s=${WAIT_S}`);
    }
    if (latest.told === null) await request("DELETE", `/rehearsals/${told.id}`);
  } catch (reason) {
    if (!(reason instanceof Failure)) throw reason;
    if (!dropped()) put({ failure: reason.fields[0]?.reason ?? reason.message });
  }
}

/** What was not answered yet is called off as soon as its id is known. */
function callOff(played: Signal<Played | null>): void {
  const now = played.peek();
  if (now === null || now.off) return;
  played.value = { ...now, off: true };
  if (now.told === null || isOver(now.told)) return;
  // Nobody waits for the answer: a rehearsal that goes on all the same ends by itself.
  request("DELETE", `/rehearsals/${now.told.id}`, { keepalive: true }).catch((reason: unknown) => {
    if (!(reason instanceof Failure)) throw reason;
  });
}

function Episodes({ outcome }: { outcome: Outcome }) {
  if (outcome.episodes.length === 0) return null;
  const shown = outcome.episodes.slice(0, SHOWN);
  const more = outcome.fired - shown.length;
  return (
    <>
      <Scroller label="When it would have fired, scrolls sideways">
        <table>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Host</th>
              <th scope="col">Severity</th>
              <th scope="col" class="n">
                Lasted
              </th>
              <th scope="col" class="n">
                Worst
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <Row key={`${one.host} ${one.instance} ${one.fired}`} one={one} unit={outcome.unit} />
            ))}
          </tbody>
        </table>
      </Scroller>
      {more > 0 && <p class="hint">and {more} times before</p>}
    </>
  );
}

function Row({ one, unit }: { one: Episode; unit: string }) {
  return (
    <tr>
      <td>
        <time dateTime={new Date(one.fired * 1000).toISOString()}>{moment(one.fired * 1000)}</time>
      </td>
      <td>
        {one.host} {one.instance && <code>{one.instance}</code>}
      </td>
      <td class={`tone-${one.severity}`}>{one.severity}</td>
      <td class="n">
        {duration(one.duration_s)}
        {one.ended === null && ", still on"}
      </td>
      <td class="n">{text(one.peak, unit, base())}</td>
    </tr>
  );
}
