// One's own sessions: where one is logged in, and the end of those that should not be.
import { get } from "../api/client.ts";
import type { Sessions } from "../api/types.gen.ts";
import { useEvery } from "../live/every.ts";
import { endSession } from "../people/end_session.ts";
import { SessionTable } from "../people/session_table.tsx";
import { Loaded, useAsked } from "../shell/loaded.tsx";
import { useSending } from "../shell/sending.ts";

const ask = async (signal: AbortSignal) => (await get<Sessions>("/sessions", signal)).sessions;

export function OwnSessions() {
  const sessions = useAsked(ask);
  useEvery(60, sessions.refresh);
  const { busy, failure, send } = useSending();
  const others = (sessions.state.value.value ?? []).filter((one) => !one.this);

  async function endOthers(): Promise<void> {
    await send(async () => {
      for (const { id } of others) await endSession(id);
    });
    sessions.load();
  }
  return (
    <section class="panel group" aria-labelledby="sessions">
      <header>
        <h2 id="sessions">Sessions</h2>
        {others.length > 0 && (
          <button type="button" onClick={() => void endOthers()}>
            {busy ? "Ending …" : "End all others"}
          </button>
        )}
      </header>
      {failure && (
        <p class="error" role="alert">
          {failure.message}
        </p>
      )}
      <Loaded from={sessions} what="The sessions">
        {(all) => <SessionTable sessions={all} named={false} onEnded={sessions.load} />}
      </Loaded>
    </section>
  );
}
