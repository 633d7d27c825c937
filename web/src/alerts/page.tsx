// Alerts: what fires now, the rules that say so, and what happened before.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { StoredRule } from "../api/types.gen.ts";
import { lacking } from "../login/me.ts";
import { query, setQuery } from "../router.ts";
import { Action } from "../shell/allowed.tsx";
import { lazy } from "../shell/lazy.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { useTitle } from "../shell/title.ts";
import { active, notJudged, rules, unreadable } from "./data.ts";
import { HeldChannels } from "./held.tsx";
import { Now } from "./now.tsx";
import { RuleList } from "./rules.tsx";
import { SilenceSection } from "./silences.tsx";
import { NO_LINE } from "./too_high.ts";
import "../style/alerts.css";

const HistorySection = lazy("the history", async () => (await import("./history.tsx")).HistorySection);
const RuleEditor = lazy("the form", async () => (await import("./editor.tsx")).RuleEditor);
const IncidentDialog = lazy("the incident", async () => (await import("./incident.tsx")).IncidentDialog);

export function AlertsPage() {
  useTitle("Alerts");
  /** The rule in the editor; `new` for one that does not exist yet. */
  const edited = useSignal<StoredRule | "new" | null>(null);
  const incident = query.value.get("incident");
  const heading = useRef<HTMLHeadingElement>(null);
  /** A line of a chart that is too high, from its page. */
  const withheld = lacking("operator");
  const asked = query.value.get("new") === "rule";
  const line = asked && withheld === null ? query.value : null;

  function closed(saved: boolean): void {
    edited.value = null;
    if (line) setQuery(NO_LINE, { replace: true });
    // The dialog gave the focus back to the button that opened it; its rule may be gone meanwhile.
    if (document.activeElement === document.body) heading.current?.focus();
    if (!saved) return;
    rules.load();
    active.load();
  }
  return (
    <div class="alerts">
      <h1>Alerts</h1>
      {asked && withheld && <p class="notice warn">You cannot make a rule of that. {withheld}</p>}
      <section aria-labelledby="firing">
        <header>
          <h2 id="firing">Now</h2>
        </header>
        <HeldChannels />
        <Now />
      </section>
      <SilenceSection />
      <section aria-labelledby="rules">
        <header>
          <h2 id="rules" ref={heading} tabIndex={-1}>
            Rules
          </h2>
          <Action
            needs="operator"
            class="primary"
            onClick={() => {
              edited.value = "new";
            }}
          >
            New rule
          </Action>
        </header>
        {unreadable.value.map((rule) => (
          <p key={rule.id} class="notice warn">
            The rule {rule.id} cannot be read, and is not judged: {rule.reason}.
          </p>
        ))}
        {notJudged.value.map((rule) => (
          <p key={rule.id} class="notice warn">
            The rule {rule.id} is not judged: {rule.reason}.
          </p>
        ))}
        <Loaded from={rules} what="The rules">
          {(all) => (
            <RuleList
              all={all}
              onEdit={(stored) => {
                edited.value = stored;
              }}
              onEmpty={() => heading.current?.focus()}
            />
          )}
        </Loaded>
      </section>
      <HistorySection />
      {incident !== null && (
        <IncidentDialog key={incident} id={incident} onClosed={() => setQuery({ incident: null }, { replace: true })} />
      )}
      {line && <RuleEditor key={line.toString()} stored={null} line={line} onClosed={closed} />}
      {edited.value !== null && !line && (
        <RuleEditor stored={edited.value === "new" ? null : edited.value} line={null} onClosed={closed} />
      )}
    </div>
  );
}
