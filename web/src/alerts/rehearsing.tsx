// What a rule that is being written would have done with what is stored: asked for, called off, and shown.
import { useRef } from "preact/hooks";
import type { Episode, Outcome, Rule } from "../api/types.gen.ts";
import { duration, moment, text } from "../format.ts";
import { base } from "../preferences.ts";
import { Scroller } from "../shell/scroller.tsx";
import "../style/telling.css";
import type { Played, Playing } from "./playing.ts";
import { limitsOf, outcomeWords, REACHES } from "./rehearsal.ts";

interface RehearsingProps {
  playing: Playing;
  rule: Rule;
  /** Tells what is wrong with the rule, where it is; whether it can be played. */
  check: () => boolean;
  /** Another reach was chosen for what was tried before. */
  onReach: () => void;
}

/** Most episodes in the table. */
const SHOWN = 50;
export function Rehearsing({ playing, rule, check, onReach }: RehearsingProps) {
  const { played, goes, stale, days } = playing;
  const button = useRef<HTMLButtonElement>(null);
  return (
    <section class="rehearsal" aria-label="Rehearsal">
      <div class="actions">
        <button
          ref={button}
          type="button"
          aria-disabled={goes}
          onClick={() => {
            if (!goes && check()) playing.play(rule);
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
              if (played !== null) onReach();
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
              playing.callOff();
              button.current?.focus();
            }}
          >
            Stop
          </button>
        )}
      </div>
      {goes && (
        <progress
          aria-label="Hosts played"
          max={1}
          value={played?.told?.state === "running" ? played.told.progress : undefined}
        />
      )}
      <div role="status">{played && <State played={played} stale={stale} />}</div>
      {played?.told?.outcome && <Episodes outcome={played.told.outcome} />}
    </section>
  );
}

function State({ played: { told, failure, off, days }, stale }: { played: Played; stale: boolean }) {
  if (failure !== null) return <p class="error">{failure}</p>;
  if (off || told?.state === "cancelled") return <p class="hint">Stopped.</p>;
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
      {stale && <p class="tone-warning">You have changed the rule or how far back it looks: try it again.</p>}
    </>
  );
}

function Episodes({ outcome }: { outcome: Outcome }) {
  if (outcome.episodes.length === 0) return null;
  const shown = outcome.episodes.slice(0, SHOWN);
  const more = outcome.fired - shown.length;
  return (
    <details>
      <summary>{outcome.episodes.length === 1 ? "When" : "Each time"}</summary>
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
    </details>
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
