// What the agent of a host is to sample and send, where that is said, and whether it does.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { CATALOGUE } from "../api/catalogue.ts";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { AgentConfigAnswer, FamilyConfig } from "../api/types.gen.ts";
import { duration } from "../format.ts";
import type { Entry } from "../live/store.ts";
import { Action } from "../shell/allowed.tsx";
import { lazy } from "../shell/lazy.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { Scroller } from "../shell/scroller.tsx";
import { periodWords } from "./sampled.ts";
import "../style/host_sections.css";

const ConfigEditor = lazy("the form", async () => (await import("./config_editor.tsx")).ConfigEditor);

export function SettingsView({ entry }: { entry: Entry }) {
  const config = useMemo(
    () => loader((signal) => get<AgentConfigAnswer>(`/hosts/${encodeURIComponent(entry.id)}/config`, signal)),
    [entry],
  );
  const revision = entry.host.value.facts.config_revision;
  const error = entry.host.value.facts.config_error;
  // The agent says so when it has taken new ones, and when it refuses them.
  useEffect(config.refresh, [config, revision, error]);
  useEffect(() => config.close, [config]);
  return (
    <Loaded from={config} what="The settings">
      {(answer) => <Shown entry={entry} answer={answer} onChanged={config.load} />}
    </Loaded>
  );
}

interface ShownProps {
  entry: Entry;
  answer: AgentConfigAnswer;
  onChanged: () => void;
}

function Shown({ entry, answer, onChanged }: ShownProps) {
  const { effective, config, in_force, error } = answer;
  const edited = useSignal(false);
  const { facts } = entry.host.value;
  const chosen = CATALOGUE.some(({ name }) => {
    const { include, exclude } = effective.families?.[name] ?? {};
    return include || exclude;
  });
  const pending = in_force !== null && (effective.revision ?? 0) > in_force;
  return (
    <section class="host-section panel config" aria-labelledby="sampled">
      <header>
        <h2 id="sampled">What its agent samples and sends</h2>
        <Action
          needs="admin"
          onClick={() => {
            edited.value = true;
          }}
        >
          Change
        </Action>
      </header>
      {error ? (
        <p class="notice bad" role="status">
          The agent refuses these settings and goes on with those before: {error}
        </p>
      ) : (
        pending && (
          <p class="notice warn" role="status">
            The agent has not taken the last change yet.
          </p>
        )
      )}
      <dl class="readings">
        <div>
          <dt>A sample every</dt>
          <dd>{duration(facts.sample_interval_s)}</dd>
        </div>
        <div>
          <dt>A batch every</dt>
          <dd>{duration(facts.batch_interval_s)}</dd>
        </div>
        <div>
          <dt>Directories</dt>
          <dd>{effective.directories ? effective.directories.join(", ") || "none" : "as the agent was installed"}</dd>
        </div>
        <div>
          <dt>Settings</dt>
          <dd>{in_force ? `revision ${in_force} is in force` : "none were sent to it"}</dd>
        </div>
      </dl>
      <Scroller label="What is sampled">
        <table>
          <thead>
            <tr>
              <th scope="col">Family</th>
              <th scope="col">Sampled</th>
              {chosen && <th scope="col">Only</th>}
              {chosen && <th scope="col">Not</th>}
              <th scope="col">Set by</th>
            </tr>
          </thead>
          <tbody>
            {CATALOGUE.map((family) => {
              const now: FamilyConfig = effective.families?.[family.name] ?? {};
              const own = config.families?.[family.name];
              const source = own
                ? "this host’s settings"
                : effective.families?.[family.name]
                  ? "the fleet’s"
                  : "the default";
              return (
                <tr key={family.name}>
                  <th scope="row" title={family.meaning}>
                    {family.label}
                  </th>
                  <td>{periodWords(family, now, facts.sample_interval_s)}</td>
                  {chosen && <td>{now.include?.join(" ")}</td>}
                  {chosen && <td>{now.exclude?.join(" ")}</td>}
                  <td class="muted">{source}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroller>
      {edited.value && (
        <ConfigEditor
          host={entry.id}
          answer={answer}
          onClosed={(saved) => {
            edited.value = false;
            if (saved) onChanged();
          }}
        />
      )}
    </section>
  );
}
