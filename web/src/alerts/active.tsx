// Alerts that are not over, the worst first.

import { pathWords } from "../api/catalogue.ts";
import type { ActiveAlert, Rule } from "../api/types.gen.ts";
import { duration, limit, moment, text } from "../format.ts";
import { now } from "../live/session.ts";
import { base } from "../preferences.ts";
import { StandingIcon } from "../shell/icons.tsx";
import "../style/alerts.css";

/** Pending, suspended and no-data alerts are shown, but they do not shout. */
const fires = (alert: ActiveAlert): boolean => alert.state === "firing" || alert.state === "recovering";

const weight = (alert: ActiveAlert): number => (fires(alert) ? (alert.severity === "critical" ? 0 : 1) : 2);

interface ActiveListProps {
  alerts: readonly ActiveAlert[];
  rules: readonly Rule[];
  /** On this host's own page its name goes without saying. */
  here?: string;
}

export function ActiveList({ alerts, rules, here }: ActiveListProps) {
  const sorted = [...alerts].sort((a, b) => weight(a) - weight(b) || b.since - a.since);
  return (
    <ul class="active">
      {sorted.map((alert) => {
        const runbook = rules.find((rule) => rule.id === alert.rule)?.runbook_url;
        return (
          <li
            key={`${alert.rule} ${alert.host} ${alert.instance}`}
            class={`alert panel ${fires(alert) ? alert.severity : "quiet-alert"}`}
          >
            <span class={`severity tone-${fires(alert) ? alert.severity : "late"}`}>
              <StandingIcon standing={fires(alert) ? alert.severity : "late"} />
              {fires(alert) ? alert.severity : alert.state}
            </span>
            <span class="what">
              <b>{alert.rule_name}</b>
              {here !== alert.host && <a href={`/hosts/${alert.host}`}>{alert.host}</a>}
              {alert.instance && <code>{alert.instance}</code>}
              {alert.state === "recovering" && <em>recovering</em>}
              {!fires(alert) && <em>would be {alert.severity}</em>}
            </span>
            <span class="reading">
              {pathWords(alert.metric)} <b>{text(alert.value, alert.unit, base())}</b>{" "}
              <small>limit {limit(alert.threshold, alert.unit, base())}</small>
            </span>
            <time
              class="muted"
              dateTime={new Date(alert.since * 1000).toISOString()}
              title={moment(alert.since * 1000)}
            >
              for {duration(Math.floor(now.value / 1000 - alert.since))}
            </time>
            {runbook && (
              <a href={runbook} target="_blank" rel="noreferrer">
                Runbook
              </a>
            )}
          </li>
        );
      })}
    </ul>
  );
}
