// The processes that use most, as the agent tells while somebody looks.

import type { ProcessUse } from "../api/types.gen.ts";
import { quantity, recent } from "../format.ts";
import { known, live, now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { base } from "../preferences.ts";
import { Scroller } from "../shell/scroller.tsx";
import "../style/host_sections.css";

/** Lists that are older say nothing of the present: agents tell every 10 s. */
const OLD_MS = 30_000;

export function Processes({ entry }: { entry: Entry }) {
  entry.tick.value;
  const told = entry.processes;
  const old = told !== null && (!known.value || now.value - told.time > OLD_MS);
  return (
    <section class="processes panel" aria-labelledby="processes">
      <header>
        <h2 id="processes">Busiest processes</h2>
        <span class="resolution">{told && (old ? `as of ${recent(told.time, now.peek())}` : "now, every 10 s")}</span>
      </header>
      {told === null ? (
        <p class="muted">
          {live.value
            ? "Its agent tells of its processes while somebody looks; the first list comes within 20 s."
            : "Processes are told only live, and there is no stream at the moment."}
        </p>
      ) : (
        <div class={`lists ${old ? "old" : ""}`}>
          <List name="By CPU" processes={told.cpu} />
          <List name="By memory" processes={told.memory} />
        </div>
      )}
    </section>
  );
}

function List({ name, processes }: { name: string; processes: readonly ProcessUse[] }) {
  return (
    <Scroller label={`Processes, ${name.toLowerCase()}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">{name}</th>
            <th scope="col" class="n">
              CPU
            </th>
            <th scope="col" class="n">
              Memory
            </th>
            <th scope="col" class="n">
              PID
            </th>
          </tr>
        </thead>
        <tbody>
          {processes.map(({ pid, name: command, cpu, memory }) => {
            const [share, size] = [quantity(cpu, "%"), quantity(memory, "B", base())];
            return (
              <tr key={pid}>
                <th scope="row">{command}</th>
                <td class="n" title="Of one core">
                  {share.value} <small>{share.unit}</small>
                </td>
                <td class="n">
                  {size.value} <small>{size.unit}</small>
                </td>
                <td class="n muted">{pid}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroller>
  );
}
