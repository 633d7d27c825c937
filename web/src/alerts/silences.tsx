// Silences that are not over, each with buttons to change it and to end it, and the dialog to write one.
import { computed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { get, request } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Matcher, Silences, StoredSilence } from "../api/types.gen.ts";
import { now } from "../live/session.ts";
import { lacking } from "../login/me.ts";
import { Action } from "../shell/allowed.tsx";
import { lazy } from "../shell/lazy.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { useOpening } from "../shell/opening.ts";
import { useSending } from "../shell/sending.ts";
import { Nothing } from "../shell/states.tsx";
import { withSettings } from "./data.ts";
import { ALL } from "./matching.ts";
import { matchWords, silenceState, silenceWords } from "./telling.ts";
import "../style/telling.css";

const SilenceEditor = lazy("the form", async () => (await import("./silence_editor.tsx")).SilenceEditor);

/** As many as there may be that are not over. */
const MOST = 1000;

export const silences = loader<StoredSilence[]>(
  async (signal) => (await get<Silences>(`/silences?limit=${MOST}`, signal)).silences,
);

export function SilenceSection() {
  /** The silence in the editor, or the alerts that a new one begins with. */
  const edited = useSignal<StoredSilence | Matcher | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const stop = withSettings(["silences"], silences.refresh);
    return () => {
      stop();
      silences.close();
    };
  }, []);
  useOpening("new", "silence", lacking("operator") === null, (asked) => {
    const host = asked.get("host");
    edited.value = host ? { ...ALL, about: "hosts", hosts: [host] } : ALL;
  });
  return (
    <section aria-labelledby="silences">
      <header>
        <h2 id="silences" ref={heading} tabIndex={-1}>
          Silences
        </h2>
        <Action
          needs="operator"
          onClick={() => {
            edited.value = ALL;
          }}
        >
          New silence
        </Action>
      </header>
      <Loaded from={silences} what="The silences">
        {(all) => (
          <Standing
            all={all}
            onEdit={(silence) => {
              edited.value = silence;
            }}
            onEnded={() => heading.current?.focus()}
          />
        )}
      </Loaded>
      {edited.value !== null && (
        <SilenceEditor
          from={edited.value}
          onClosed={() => {
            edited.value = null;
            silences.load();
          }}
        />
      )}
    </section>
  );
}

interface StandingProps {
  all: readonly StoredSilence[];
  onEdit: (silence: StoredSilence) => void;
  onEnded: () => void;
}

/** Those that are not over at this moment, each as it stands. */
function Standing({ all, onEdit, onEnded }: StandingProps) {
  // Moves when one begins or ends, not with each second.
  const edges = useMemo(() => computed(() => all.map((one) => silenceState(one, now.value / 1000)).join()), [all]);
  edges.value;
  const standing = all.flatMap((silence) => {
    const state = silenceState(silence, now.peek() / 1000);
    return state === null ? [] : [{ ...silence, state }];
  });
  if (standing.length === 0) return <Nothing>Nothing is silenced.</Nothing>;
  return (
    <ul class="rules">
      {standing.map((silence) => (
        <Row key={silence.id} silence={silence} onEdit={() => onEdit(silence)} onEnded={onEnded} />
      ))}
    </ul>
  );
}

interface RowProps {
  silence: StoredSilence;
  onEdit: () => void;
  /** The row goes, and the focus with it. */
  onEnded: () => void;
}

function Row({ silence, onEdit, onEnded }: RowProps) {
  const { busy, failure, send } = useSending();
  const words = matchWords(silence.match);
  async function end(): Promise<void> {
    if (await send(() => request("POST", `/silences/${silence.id}/expire`))) onEnded();
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
      <div class="row-actions">
        {!silence.invalid && (
          <Action needs="operator" onClick={onEdit}>
            Edit<span class="hidden"> the silence of {words}</span>
          </Action>
        )}
        <Action needs="operator" onClick={() => void end()}>
          {busy ? "Ending …" : "End now"}
          <span class="hidden">: {words}</span>
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
