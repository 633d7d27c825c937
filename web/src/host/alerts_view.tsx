// What concerns alerts of one host: those that are on, those that were, and the rules that look at it.
import { useEffect, useMemo } from "preact/hooks";
import { ActiveList } from "../alerts/active.tsx";
import { active, ruleBodies, rules, rulesOf, STORM_MS, withNews } from "../alerts/data.ts";
import { windowUnit } from "../alerts/words.ts";
import { pathWords, unitOf, virtualOf } from "../api/catalogue.ts";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { ActiveAlert, Incident, Incidents, Rule } from "../api/types.gen.ts";
import { duration, limit, moment, text } from "../format.ts";
import { known, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { StandingIcon } from "../shell/icons.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { Scroller } from "../shell/scroller.tsx";
import { Nothing } from "../shell/states.tsx";
import "../style/host_sections.css";

const MOST = 50;

export function AlertsView({ entry }: { entry: Entry }) {
  const incidents = useMemo(
    () => loader((signal) => get<Incidents>(`/incidents?host=${entry.id}&limit=${MOST}`, signal)),
    [entry],
  );
  useEffect(() => {
    const stop = withNews(incidents.refresh, STORM_MS);
    return () => {
      stop();
      incidents.close();
    };
  }, [incidents]);
  return (
    <>
      <section class="host-section" aria-labelledby="on">
        <h2 id="on">Now</h2>
        <Loaded from={active} what="The active alerts">
          {(alerts) => <Active alerts={alerts.filter((alert) => alert.host === entry.id)} host={entry.id} />}
        </Loaded>
      </section>
      <section class="host-section" aria-labelledby="were">
        <h2 id="were">Incidents</h2>
        <Loaded from={incidents} what="The incidents">
          {(got) => <IncidentTable incidents={got.incidents} more={got.next !== null} />}
        </Loaded>
      </section>
      <section class="host-section" aria-labelledby="looking">
        <header>
          <h2 id="looking">Rules that apply</h2>
          <a href="/alerts">Change rules</a>
        </header>
        <Loaded from={rules} what="The rules">
          {() => <RuleTable rules={rulesOf(entry).filter((rule) => looksAt(rule, entry))} />}
        </Loaded>
      </section>
    </>
  );
}

/** That there is none is said only while that is known. */
function Active({ alerts, host }: { alerts: readonly ActiveAlert[]; host: string }) {
  if (alerts.length > 0) return <ActiveList alerts={alerts} rules={ruleBodies.value} here={host} />;
  const sure = known.value && active.state.value.error === null;
  return <Nothing>{sure ? "No active alerts" : "No alert was active when this was last known"}</Nothing>;
}

/** Whether a rule of this host is on, and about something that it has. */
function looksAt({ enabled, metric }: Rule, entry: Entry): boolean {
  const made = virtualOf(metric);
  return enabled && (made ? made.about === "host" : Object.hasOwn(entry.latest, metric.slice(0, metric.indexOf("."))));
}

function IncidentTable({ incidents, more }: { incidents: readonly Incident[]; more: boolean }) {
  if (incidents.length === 0) return <Nothing>Nothing has happened here</Nothing>;
  return (
    <Scroller label="Incidents of this host" class="panel table-panel">
      <table>
        <thead>
          <tr>
            <th scope="col">Began</th>
            <th scope="col">What</th>
            <th scope="col" class="n">
              Peak
            </th>
            <th scope="col" class="n">
              Limit
            </th>
            <th scope="col" class="n">
              Lasted
            </th>
            <th scope="col">
              <span class="hidden">More</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {incidents.map((one) => (
            <tr key={one.id}>
              <td>{moment(one.since * 1000)}</td>
              <td>
                <span class={`severity tone-${one.worst}`}>
                  <StandingIcon standing={one.worst} />
                  {one.worst}
                </span>{" "}
                {one.rule_name} {one.instance && <code>{one.instance}</code>}
              </td>
              <td class="n">{text(one.peak ?? one.value, one.unit, base())}</td>
              <td class="n">{limit(one.threshold, one.unit, base())}</td>
              <td class="n">{lasted(one)}</td>
              <td>
                <a href={`/alerts?incident=${one.id}`}>
                  Details<span class="hidden"> of {one.rule_name}</span>
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more && <p class="muted">Only the last {MOST} are shown here.</p>}
    </Scroller>
  );
}

function lasted({ since, closed }: Incident): string {
  return closed === null
    ? `${duration(Math.floor(now.value / 60_000) * 60 - since)}, goes on`
    : duration(closed - since);
}

function RuleTable({ rules }: { rules: readonly Rule[] }) {
  if (rules.length === 0) return <Nothing>No rule applies to this host</Nothing>;
  return (
    <Scroller label="Rules that apply to this host" class="panel table-panel">
      <table>
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">Of</th>
            <th scope="col" class="n">
              Warning
            </th>
            <th scope="col" class="n">
              Critical
            </th>
          </tr>
        </thead>
        <tbody>
          {rules.map(({ id, name, metric, instance, window, warning, critical, comparison }) => {
            const unit = windowUnit(window.function, unitOf(metric));
            const at = (threshold: Rule["warning"]) =>
              threshold ? `${comparison} ${limit(threshold.raise_at, unit, base())}` : "";
            return (
              <tr key={id}>
                <th scope="row">{name}</th>
                <td>
                  {pathWords(metric)} {instance !== "*" && <code>{instance}</code>}
                </td>
                <td class="n">{at(warning)}</td>
                <td class="n">{at(critical)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroller>
  );
}
