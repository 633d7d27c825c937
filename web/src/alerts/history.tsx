// What happened: every change of an alert, and what became of its notification.

import { pathWords } from "../api/catalogue.ts";
import type { Delivery, PastAlert } from "../api/types.gen.ts";
import { duration, limit, moment, text } from "../format.ts";
import { base } from "../preferences.ts";
import { StandingIcon } from "../shell/icons.tsx";
import { Scroller } from "../shell/scroller.tsx";
import { Nothing } from "../shell/states.tsx";
import { fate, kindWord } from "./words.ts";

export function HistoryTable({ history }: { history: readonly PastAlert[] }) {
  if (history.length === 0) return <Nothing>No alert has fired within the time that history is kept.</Nothing>;
  return (
    <Scroller label="History, scrolls sideways" class="panel table-panel">
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            <th scope="col">Host</th>
            <th scope="col">Rule</th>
            <th scope="col" class="n">
              Value
            </th>
            <th scope="col" class="n">
              Limit
            </th>
            <th scope="col" class="n">
              Lasted
            </th>
            <th scope="col">Notification</th>
          </tr>
        </thead>
        <tbody>
          {history.map((one) => (
            <tr key={one.id}>
              <td>
                <time dateTime={new Date(one.time * 1000).toISOString()}>{moment(one.time * 1000)}</time>
              </td>
              <td>
                <Kind one={one} />
              </td>
              <td>
                <Around one={one} />
              </td>
              <td>
                {one.rule_name}
                {one.instance && (
                  <>
                    {" "}
                    <code>{one.instance}</code>
                  </>
                )}
              </td>
              <td class="n" title={pathWords(one.metric)}>
                {text(one.value, one.unit, base())}
              </td>
              <td class="n">{limit(one.threshold, one.unit, base())}</td>
              <td class="n">{ended(one) ? duration(one.time - one.since) : ""}</td>
              <td class="told">
                {one.incident > 0 && (
                  <a href={`/alerts?incident=${one.incident}`}>
                    Why<span class="hidden"> was I told of {one.rule_name}, or not</span>
                  </a>
                )}{" "}
                {one.deliveries.length === 0 && <span class="muted">nobody told</span>}
                {one.deliveries.map((delivery) => (
                  <Fate key={delivery.channel} delivery={delivery} />
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

/** A link to the host at that time; an alert about Sonde itself has none. */
function Around({ one }: { one: PastAlert }) {
  if (!one.host) return <span class="muted">Sonde</span>;
  const from = Math.round((one.since - 600) * 1000);
  const to = Math.round((one.time + 600) * 1000);
  return (
    <a href={`/hosts/${one.host}?from=${from}&to=${to}`} title="See the host around that time">
      {one.host}
    </a>
  );
}

const ended = (one: PastAlert): boolean => one.kind === "resolve" || one.kind === "gone";

function Kind({ one }: { one: PastAlert }) {
  const standing = ended(one) ? "up" : one.severity;
  return (
    <span class={`severity tone-${standing}`}>
      <StandingIcon standing={standing} />
      {one.kind === "fire" ? `fires, ${one.severity}` : kindWord(one.kind)}
      {one.past && ", in the past"}
    </span>
  );
}

function Fate({ delivery }: { delivery: Delivery }) {
  const { word, tone } = fate(delivery.status);
  const again = delivery.attempts > 1 ? `, ${delivery.attempts} attempts` : "";
  const answer = delivery.status !== "sent" && delivery.answer ? `: ${delivery.answer}` : "";
  return (
    <span class={`fate ${tone}`} title={delivery.answer}>
      {delivery.channel} {word}
      {again}
      {answer}
    </span>
  );
}
