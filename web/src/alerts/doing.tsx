// What one can do about an incident: acknowledge it, for a time or until it changes, leave a note, silence it.
import { type Signal, useSignal } from "@preact/signals";
import { request } from "../api/client.ts";
import type { Incident } from "../api/types.gen.ts";
import { now } from "../live/session.ts";
import { Action } from "../shell/allowed.tsx";
import { Field } from "../shell/field.tsx";
import { lazy } from "../shell/lazy.tsx";
import { useSending } from "../shell/sending.ts";
import { matcherOfIncident } from "./matching.ts";
import { LASTING } from "./silence_draft.ts";
import { silences } from "./silences.tsx";
import { acknowledgedWords, seen } from "./telling.ts";

const SilenceEditor = lazy("the form", async () => (await import("./silence_editor.tsx")).SilenceEditor);

interface DoingProps {
  incident: Incident;
  /** What is typed and not sent. */
  note: Signal<string>;
  onDone: () => void;
}

export function Doing({ incident, note, onDone }: DoingProps) {
  const { busy, failure, send } = useSending();
  /** Seconds; empty: until it changes. */
  const for_s = useSignal("");
  const silencing = useSignal(false);
  const open = incident.state === "open";
  const is_seen = seen(incident, now.value / 1000);
  const path = `/incidents/${incident.id}`;

  async function act(done: () => Promise<unknown>): Promise<void> {
    if (await send(done)) onDone();
  }
  const acknowledge = () =>
    act(async () => {
      const until = for_s.value === "" ? null : now.peek() / 1000 + Number(for_s.value);
      await request("POST", `${path}/acknowledge`, { body: { note: note.value.trim(), until } });
      note.value = "";
    });
  const add = () =>
    act(async () => {
      await request("POST", `${path}/notes`, { body: { text: note.value.trim() } });
      note.value = "";
    });
  return (
    <div class="doing">
      {incident.acknowledged && <p>{acknowledgedWords(incident, now.value / 1000)}</p>}
      <Field label="Note" wide>
        <input
          name="note"
          autocomplete="off"
          maxLength={500}
          value={note.value}
          placeholder={open ? "goes with the acknowledgement, or alone" : "what it was"}
          onInput={(event) => {
            note.value = event.currentTarget.value;
          }}
        />
      </Field>
      <div class="actions">
        {open && !is_seen && (
          <>
            <Action needs="operator" class="primary" onClick={() => void acknowledge()}>
              {busy ? "One moment …" : "Acknowledge"}
            </Action>
            <select
              name="acknowledge"
              aria-label="Acknowledge for how long"
              value={for_s.value}
              onChange={(event) => {
                for_s.value = event.currentTarget.value;
              }}
            >
              <option value="">until it worsens or ends</option>
              {LASTING.map(([seconds, words]) => (
                <option key={seconds} value={String(seconds)}>
                  for {words}
                </option>
              ))}
            </select>
          </>
        )}
        {open && incident.acknowledged && (
          <Action
            needs="operator"
            onClick={() => void act(() => request("DELETE", `${path}/acknowledge`, { version: incident.version }))}
          >
            Take back the acknowledgement
          </Action>
        )}
        <Action needs="operator" disabled={note.value.trim() === ""} onClick={() => void add()}>
          Add the note
        </Action>
        {open && (
          <Action
            needs="operator"
            onClick={() => {
              silencing.value = true;
            }}
          >
            Silence …
          </Action>
        )}
      </div>
      {failure && (
        <p class="error" role="alert">
          {failure.message}
        </p>
      )}
      {silencing.value && (
        <SilenceEditor
          from={matcherOfIncident(incident)}
          onClosed={(saved) => {
            silencing.value = false;
            if (!saved) return;
            silences.load();
            onDone();
          }}
        />
      )}
    </div>
  );
}
