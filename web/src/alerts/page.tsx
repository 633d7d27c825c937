// Alerts: what fires now, the rules that say so, and what happened before.
import { useSignal, useSignalEffect } from "@preact/signals";
import { get, reasonOf } from "../api/client.ts";
import type { Alerts, PastAlert, StoredRule } from "../api/types.gen.ts";
import { fleet, transition } from "../live/session.ts";
import { StandingIcon } from "../shell/icons.tsx";
import { useTitle } from "../shell/title.ts";
import { ActiveList } from "./active.tsx";
import { active, ruleBodies, rules } from "./data.ts";
import { RuleEditor } from "./editor.tsx";
import { HistoryTable } from "./history.tsx";
import { RuleList } from "./rules.tsx";
import "../style/alerts.css";

/** Most transitions that the history shows. */
const LIMIT = 200;

export function AlertsPage() {
  useTitle("Alerts");
  const history = useSignal<PastAlert[] | null>(null);
  const error = useSignal<string | null>(null);
  /** The rule in the editor; `new` for one that does not exist yet. */
  const edited = useSignal<StoredRule | "new" | null>(null);

  useSignalEffect(() => {
    // Asked again when the stream comes back, and with every transition.
    fleet.snapshots.value;
    transition.value;
    const abort = new AbortController();
    get<Alerts>(`/alerts?state=all&limit=${LIMIT}`, abort.signal).then(
      (got) => {
        active.put(got.active);
        history.value = got.history;
        error.value = null;
      },
      (reason: unknown) => {
        if (!abort.signal.aborted) error.value = reasonOf(reason);
      },
    );
    return () => abort.abort();
  });

  const firing = active.state.value.value ?? [];
  return (
    <div class="alerts">
      <h1 class="hidden">Alerts</h1>
      {error.value && (
        <p class="notice bad" role="alert">
          {error.value}
        </p>
      )}
      <section aria-labelledby="firing">
        <header>
          <h2 id="firing">Now</h2>
        </header>
        {active.state.value.value !== null && firing.length === 0 && (
          <p class="quiet-line panel">
            <span class="tone-up">
              <StandingIcon standing="up" />
            </span>
            Nothing fires.
          </p>
        )}
        <ActiveList alerts={firing} rules={ruleBodies.value} />
      </section>
      <section aria-labelledby="rules">
        <header>
          <h2 id="rules">Rules</h2>
          <button
            type="button"
            class="primary"
            onClick={() => {
              edited.value = "new";
            }}
          >
            New rule
          </button>
        </header>
        <RuleList
          onEdit={(stored) => {
            edited.value = stored;
          }}
        />
      </section>
      <section aria-labelledby="history">
        <header>
          <h2 id="history">History</h2>
          {history.value?.length === LIMIT && <span class="muted">the latest {LIMIT}</span>}
        </header>
        {history.value && <HistoryTable history={history.value} />}
      </section>
      {edited.value !== null && (
        <RuleEditor
          stored={edited.value === "new" ? null : edited.value}
          onDone={(saved) => {
            edited.value = null;
            if (!saved) return;
            rules.load();
            active.load();
          }}
        />
      )}
    </div>
  );
}
