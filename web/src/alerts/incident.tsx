// One incident: how it stands, why people were told or were not, and what one can do about it.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { get, request } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Incident, IncidentDetail, Reason, Why } from "../api/types.gen.ts";
import { duration, limit, moment, text } from "../format.ts";
import { now, settingChange, transition } from "../live/session.ts";
import { base } from "../preferences.ts";
import { Action } from "../shell/allowed.tsx";
import { Field } from "../shell/field.tsx";
import { CloseIcon, StandingIcon } from "../shell/icons.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { useSending } from "../shell/sending.ts";
import { active } from "./data.ts";
import { ABOUT_WORDS, acknowledgedWords, LASTING, seen, silenceOf } from "./telling.ts";
import "../style/telling.css";

interface Whole {
  detail: IncidentDetail;
  why: Why;
}

interface IncidentDialogProps {
  id: string;
  /** The dialog is closed; whether a silence was made, which the page shows. */
  onClosed: (silenced: boolean) => void;
}

export function IncidentDialog({ id, onClosed }: IncidentDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const silenced = useRef(false);
  const asked = useMemo(() => loader<Whole>((signal) => ask(id, signal)), [id]);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  useEffect(() => asked.close, [asked]);
  const news = `${transition.value?.id} ${settingChange.value?.key} ${settingChange.value?.version}`;
  useEffect(() => {
    if (news) asked.refresh();
  }, [asked, news]);

  return (
    <dialog
      ref={dialog}
      class="editor incident"
      aria-labelledby="incident-title"
      onClose={() => onClosed(silenced.current)}
    >
      <div class="inside">
        <Loaded from={asked} what="The incident">
          {({ detail, why }) => (
            <>
              <Head incident={detail.incident} onClose={() => dialog.current?.close()} />
              <p class="conclusion">{why.conclusion}</p>
              <Doing
                incident={detail.incident}
                onDone={() => {
                  asked.load();
                  active.load();
                }}
                onSilenced={() => {
                  silenced.current = true;
                  dialog.current?.close();
                }}
              />
              <Reasons reasons={why.reasons} />
            </>
          )}
        </Loaded>
      </div>
    </dialog>
  );
}

async function ask(id: string, signal: AbortSignal): Promise<Whole> {
  const [detail, why] = await Promise.all([
    get<IncidentDetail>(`/incidents/${encodeURIComponent(id)}`, signal),
    get<Why>(`/incidents/${encodeURIComponent(id)}/why`, signal),
  ]);
  return { detail, why };
}

function Head({ incident, onClose }: { incident: Incident; onClose: () => void }) {
  const standing = incident.state === "open" ? incident.severity : "up";
  const from = Math.round((incident.opened - 600) * 1000);
  const to = Math.round(((incident.closed ?? now.peek() / 1000) + 600) * 1000);
  return (
    <>
      <header>
        <h2 id="incident-title">
          {incident.rule_name}
          {incident.instance && <code> {incident.instance}</code>}
        </h2>
        <button type="button" class="quiet" onClick={onClose} aria-label="Close">
          <CloseIcon />
        </button>
      </header>
      <p class="facts">
        <span class={`severity tone-${standing}`}>
          <StandingIcon standing={standing} />
          {incident.state === "open" ? incident.severity : incident.ending === "gone" ? "gone" : "over"}
        </span>
        {incident.host ? (
          <a href={`/hosts/${incident.host}?from=${from}&to=${to}`}>{incident.label || incident.host}</a>
        ) : (
          <span>Sonde itself</span>
        )}
        <span>
          {text(incident.value, incident.unit, base())}, limit {limit(incident.threshold, incident.unit, base())}
        </span>
        <span>
          {moment(incident.opened * 1000)}
          {incident.closed !== null && `, for ${duration(incident.closed - incident.opened)}`}
        </span>
        {incident.past && <span class="off">in the past</span>}
        {incident.flapping && <span class="off">comes and goes</span>}
      </p>
      {incident.invalid && <p class="error">What is stored of this incident cannot be read. {incident.invalid}</p>}
    </>
  );
}

interface DoingProps {
  incident: Incident;
  onDone: () => void;
  onSilenced: () => void;
}

/** Acknowledging, a note, a silence. */
function Doing({ incident, onDone, onSilenced }: DoingProps) {
  const { busy, failure, send } = useSending();
  const note = useSignal("");
  const for_s = useSignal("3600");
  const open = incident.state === "open";
  const is_seen = seen(incident);
  const path = `/incidents/${incident.id}`;

  async function act(done: () => Promise<unknown>): Promise<void> {
    if (await send(done)) onDone();
  }
  const acknowledge = () =>
    act(async () => {
      await request("POST", `${path}/acknowledge`, { body: { note: note.value.trim() } });
      note.value = "";
    });
  const add = () =>
    act(async () => {
      await request("POST", `${path}/notes`, { body: { text: note.value.trim() } });
      note.value = "";
    });
  async function silence(): Promise<void> {
    const body = { match: silenceOf(incident), for_s: Number(for_s.value), reason: note.value.trim() };
    if (await send(() => request("POST", "/silences", { body }))) onSilenced();
  }
  return (
    <div class="doing">
      {incident.acknowledged && <p>{acknowledgedWords(incident)}</p>}
      <Field label="Note" wide>
        <input
          name="note"
          autocomplete="off"
          maxLength={500}
          value={note.value}
          placeholder={open ? "goes with what you do" : "what it was"}
          onInput={(event) => {
            note.value = event.currentTarget.value;
          }}
        />
      </Field>
      <div class="actions">
        {open && !is_seen && (
          <Action needs="operator" class="primary" onClick={() => void acknowledge()}>
            {busy ? "One moment …" : "Acknowledge"}
          </Action>
        )}
        {incident.acknowledged && (
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
      </div>
      {open && (
        <div class="actions">
          <label>
            Silence it for{" "}
            <select
              name="silence"
              value={for_s.value}
              onChange={(event) => {
                for_s.value = event.currentTarget.value;
              }}
            >
              {LASTING.map(([seconds, words]) => (
                <option key={seconds} value={String(seconds)}>
                  {words}
                </option>
              ))}
            </select>
          </label>
          <Action needs="operator" onClick={() => void silence()}>
            Silence
          </Action>
          <span class="hint">
            Nobody is told of this rule on {incident.host || "Sonde"}
            {incident.instance && ` ${incident.instance}`} meanwhile.
          </span>
        </div>
      )}
      {failure && (
        <p class="error" role="alert">
          {failure.message}
        </p>
      )}
    </div>
  );
}

function Reasons({ reasons }: { reasons: readonly Reason[] }) {
  const parts: ComponentChildren[] = [];
  for (const [about, words] of Object.entries(ABOUT_WORDS)) {
    const mine = reasons.filter((reason) => reason.about === about);
    if (mine.length === 0) continue;
    parts.push(
      <section key={about} aria-label={words}>
        <h3>{words}</h3>
        <ol>
          {mine.map((reason, index) => (
            <li key={`${index} ${reason.text}`} class={reason.stops ? "stops" : ""}>
              {reason.at !== null && <time dateTime={iso(reason.at)}>{moment(reason.at * 1000)}</time>}
              <span>
                {reason.stops && <b>Held: </b>}
                {reason.text}
              </span>
            </li>
          ))}
        </ol>
      </section>,
    );
  }
  return (
    <details class="why" open>
      <summary>Why was I (not) told?</summary>
      {parts}
    </details>
  );
}

const iso = (at_s: number): string => new Date(at_s * 1000).toISOString();
