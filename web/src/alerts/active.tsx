// Alerts that are not over, the worst first, their readings in columns.

import { computed } from "@preact/signals";
import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import { pathWords } from "../api/catalogue.ts";
import type { ActiveAlert, Rule } from "../api/types.gen.ts";
import { duration, limit, moment, text } from "../format.ts";
import { known, now } from "../live/session.ts";
import { base } from "../preferences.ts";
import { StandingIcon } from "../shell/icons.tsx";
import "../style/alerts.css";
import { incidentHref } from "./incident_href.ts";
import { Acknowledge } from "./seeing.tsx";
import { fires, stateWord } from "./transitions.ts";

const weight = (alert: ActiveAlert): number => (fires(alert) ? (alert.severity === "critical" ? 0 : 1) : 2);

/** Rows; a storm may be of thousands. */
const MOST = 200;

interface ActiveListProps {
  alerts: readonly ActiveAlert[];
  rules: readonly Rule[];
  /** On this host's own page its name goes without saying. */
  here?: string;
  /** What is drawn in the row of an alert. */
  beside?: (alert: ActiveAlert) => VNode;
}

export function ActiveList({ alerts, rules, here, beside }: ActiveListProps) {
  const sorted = [...alerts].sort((a, b) => weight(a) - weight(b) || b.since - a.since);
  const more = sorted.length - MOST;
  const runbooks = new Map(rules.map((rule) => [rule.id, rule.runbook_url]));
  return (
    <>
      <ul class={`active panel ${beside ? "charted" : ""}`}>
        {sorted.slice(0, MOST).map((alert) => (
          <Row
            key={`${alert.rule} ${alert.host} ${alert.instance}`}
            alert={alert}
            runbook={runbooks.get(alert.rule)}
            elsewhere={here !== alert.host}
            drawn={beside?.(alert)}
          />
        ))}
      </ul>
      {more > 0 && <p class="muted">And {more} more, less severe or older. All that are open are in the history.</p>}
    </>
  );
}

interface RowProps {
  alert: ActiveAlert;
  runbook: string | undefined;
  elsewhere: boolean;
  drawn: VNode | undefined;
}

function Row({ alert, runbook, elsewhere, drawn }: RowProps) {
  const shown = fires(alert) ? alert.severity : "late";
  return (
    <li class={`alert ${fires(alert) ? alert.severity : "quiet-alert"}`}>
      <span class={`severity tone-${shown}`}>
        <StandingIcon standing={shown} />
        {fires(alert) ? alert.severity : stateWord(alert.state)}
      </span>
      <span class="what">
        <b>{alert.rule_name}</b>
        {elsewhere && alert.host && <a href={`/hosts/${alert.host}`}>{alert.host}</a>}
        {alert.instance && <code>{alert.instance}</code>}
        {alert.state === "recovering" && <em>recovering</em>}
        {!fires(alert) && <em>would be {alert.severity}</em>}
        {alert.incident > 0 && (
          <a href={incidentHref(alert.incident)}>
            Details<span class="hidden"> of {alert.rule_name}</span>
          </a>
        )}
        {runbook && (
          <a href={runbook} target="_blank" rel="noreferrer">
            Runbook
          </a>
        )}
      </span>
      {drawn}
      <span class="metric">{pathWords(alert.metric)}</span>
      <b class="value">{text(alert.value, alert.unit, base())}</b>
      <span class="limit">limit {limit(alert.threshold, alert.unit, base())}</span>
      <Since since={alert.since} />
      {alert.incident > 0 ? <Acknowledge alert={alert} /> : <span class="seeing" />}
    </li>
  );
}

/** Alone in listening to the clock, and drawn again when its words change. For how long, only while that is known. */
function Since({ since }: { since: number }) {
  const began = moment(since * 1000);
  const words = useMemo(
    () => computed(() => (known.value ? `for ${duration(Math.floor(now.value / 1000 - since))}` : `since ${began}`)),
    [since, began],
  );
  return (
    <time class="since" dateTime={new Date(since * 1000).toISOString()} title={began}>
      {words}
    </time>
  );
}
