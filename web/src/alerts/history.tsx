// What happened: incidents, the latest first, narrowed down by what the address says.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { pathWords } from "../api/catalogue.ts";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Incident, Incidents } from "../api/types.gen.ts";
import { duration, limit, moment, text } from "../format.ts";
import { now } from "../live/session.ts";
import { base } from "../preferences.ts";
import { query, setQuery } from "../router.ts";
import { StandingIcon } from "../shell/icons.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { Scroller } from "../shell/scroller.tsx";
import { Nothing } from "../shell/states.tsx";
import { STORM_MS, withNews } from "./data.ts";
import { incidentHref } from "./incident_href.ts";
import { ALL_PAST, filterFrom, filters, parameters } from "./past_filter.ts";
import { PastFilters } from "./past_filters.tsx";
import { hostHref } from "./story.ts";
import { seen } from "./telling.ts";

/** Incidents that are shown at first, and how many more each time. */
const PAGE = 50;
const MOST = 1000;

export function HistorySection() {
  const asked = useComputed(() => parameters(filterFrom(query.value)).toString());
  const count = useSignal(PAGE);
  const past = useMemo(
    () => loader((signal) => get<Incidents>(`/incidents?${withMore(asked.peek(), "limit", count.peek())}`, signal)),
    [asked, count],
  );
  useEffect(() => {
    const stop = withNews(past.refresh, STORM_MS);
    return () => {
      stop();
      past.close();
    };
  }, [past]);
  useSignalEffect(() => {
    asked.value;
    count.value;
    past.load();
  });
  const filter = filterFrom(query.value);
  const narrowed = filters(filter);
  return (
    <section aria-labelledby="history">
      <header>
        <h2 id="history">History</h2>
        <span class="exports">
          {(["csv", "ndjson"] as const).map((format) => (
            <a key={format} href={`/api/v1/incidents/export?${withMore(asked.value, "format", format)}`} download>
              {format.toUpperCase()}
              <span class="hidden"> of these incidents</span>
            </a>
          ))}
        </span>
      </header>
      <PastFilters
        filter={filter}
        onChange={(change) => {
          count.value = PAGE;
          setQuery(change, { replace: true });
        }}
      />
      <Loaded from={past} what="The history">
        {({ incidents, next }) =>
          incidents.length === 0 ? (
            <Nothing>
              {narrowed ? "No incident fits that." : "No alert has fired within the time that history is kept."}
              {narrowed && (
                <button type="button" onClick={() => setQuery(ALL_PAST, { replace: true })}>
                  Show all
                </button>
              )}
            </Nothing>
          ) : (
            <>
              <HistoryTable incidents={incidents} />
              {next !== null && (
                <p class="more-past">
                  {count.value < MOST ? (
                    <button
                      type="button"
                      onClick={() => {
                        count.value = Math.min(MOST, count.value * 2);
                      }}
                    >
                      Show more
                    </button>
                  ) : (
                    <span class="muted">
                      These are the latest {MOST}; narrow them down, or take them all as a file.
                    </span>
                  )}
                </p>
              )}
            </>
          )
        }
      </Loaded>
    </section>
  );
}

function withMore(asked: string, name: string, value: string | number): URLSearchParams {
  const more = new URLSearchParams(asked);
  more.set(name, String(value));
  return more;
}

function HistoryTable({ incidents }: { incidents: readonly Incident[] }) {
  return (
    <Scroller label="History, scrolls sideways" class="panel table-panel past">
      <table>
        <thead>
          <tr>
            <th scope="col">Began</th>
            <th scope="col">How it is</th>
            <th scope="col">Host</th>
            <th scope="col">Rule</th>
            <th scope="col" class="n">
              Worst
            </th>
            <th scope="col" class="n">
              Limit
            </th>
            <th scope="col" class="n">
              Lasted
            </th>
            <th scope="col">Told</th>
          </tr>
        </thead>
        <tbody>
          {incidents.map((one) => (
            <Row key={one.id} one={one} />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function Row({ one }: { one: Incident }) {
  return (
    <tr data-incident={one.id}>
      <td class="began">
        <time dateTime={new Date(one.opened * 1000).toISOString()}>{moment(one.opened * 1000)}</time>
      </td>
      <td class="how">
        <Standing one={one} />
      </td>
      <td class="where">
        <Around one={one} />
      </td>
      <td class="rule-name">
        <a href={incidentHref(one.id)}>{one.rule_name}</a>
        {one.instance && (
          <>
            {" "}
            <code>{one.instance}</code>
          </>
        )}
      </td>
      <td class="n worst" title={pathWords(one.metric)}>
        {text(one.peak ?? one.value, one.unit, base())}
      </td>
      <td class="n limit">{limit(one.threshold, one.unit, base())}</td>
      <td class="n lasted">
        {one.closed === null ? <Lasting since={one.opened} /> : duration(one.closed - one.opened)}
      </td>
      <td class="told">{one.told.join(", ") || <span class="muted">nobody</span>}</td>
    </tr>
  );
}

/** Alone in listening to the clock. */
const Lasting = ({ since }: { since: number }) => <>{duration(Math.floor(now.value / 1000 - since))}</>;

/** A link to the host at that time; an alert about Sonde itself has none. */
function Around({ one }: { one: Incident }) {
  if (!one.host) return <span class="muted">Sonde</span>;
  return (
    <a href={hostHref(one, now.peek())} title="See the host around that time">
      {one.host}
    </a>
  );
}

function Standing({ one }: { one: Incident }) {
  const over = one.closed !== null;
  const standing = over ? "up" : one.severity;
  return (
    <span class={`severity tone-${standing}`}>
      <StandingIcon standing={standing} />
      {over ? `${one.ending === "gone" ? "gone" : "over"}, was ${one.worst}` : one.severity}
      {seen(one, one.acknowledged?.until ? now.value / 1000 : 0) && ", acknowledged"}
      {one.past && ", in the past"}
    </span>
  );
}
