// Silences that are not over, each with a button that ends it.
import { useEffect } from "preact/hooks";
import { get, request } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Silences, StoredSilence } from "../api/types.gen.ts";
import { fleet, settingChange } from "../live/session.ts";
import { Action } from "../shell/allowed.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { useSending } from "../shell/sending.ts";
import { Nothing } from "../shell/states.tsx";
import { matchWords, silenceWords } from "./telling.ts";
import "../style/telling.css";

const MOST = 200;

export const silences = loader<StoredSilence[]>(async (signal) => {
  const all = (await get<Silences>(`/silences?limit=${MOST}`, signal)).silences;
  return all.filter((silence) => silence.state !== "expired");
});

export function SilenceList() {
  const news = settingChange.value?.key === "silences" ? settingChange.value : null;
  const snapshots = fleet.snapshots.value;
  useEffect(() => {
    silences.refresh();
  }, [news, snapshots]);
  return (
    <Loaded from={silences} what="The silences">
      {(all) =>
        all.length === 0 ? (
          <Nothing>Nothing is silenced. An incident’s “Details” has a button for that.</Nothing>
        ) : (
          <ul class="rules">
            {all.map((silence) => (
              <Row key={silence.id} silence={silence} />
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}

function Row({ silence }: { silence: StoredSilence }) {
  const { busy, failure, send } = useSending();
  const words = matchWords(silence.match);
  async function end(): Promise<void> {
    await send(() => request("POST", `/silences/${silence.id}/expire`));
    silences.load();
  }
  return (
    <li class="rule panel" data-silence={silence.id}>
      <div class="sentence">
        <h3>
          {words.charAt(0).toUpperCase()}
          {words.slice(1)}
          {silence.state === "pending" && <span class="off">not yet</span>}
        </h3>
        <p>
          {silenceWords(silence)}
          {silence.reason && `: ${silence.reason}`}
        </p>
        {silence.invalid && <p class="error">It cannot be read, and silences nothing. {silence.invalid}</p>}
      </div>
      <div class="actions">
        <Action needs="operator" onClick={() => void end()}>
          {busy ? "Ending …" : "End now"}
        </Action>
      </div>
      {failure && (
        <p class="error" role="alert">
          {failure.message}
        </p>
      )}
    </li>
  );
}
