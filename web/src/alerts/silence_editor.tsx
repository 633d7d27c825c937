// The dialog in which a silence is written: which alerts, from when until when, and why. It says beforehand what it fits.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Failure, request } from "../api/client.ts";
import type { Matcher, Silenced, StoredSilence } from "../api/types.gen.ts";
import { now } from "../live/session.ts";
import { useEditing } from "../shell/editing.ts";
import { EditorDialog } from "../shell/editor_dialog.tsx";
import { Field } from "../shell/field.tsx";
import { MATCH_FIELDS, MatchFields } from "./match_fields.tsx";
import { matcherOf } from "./matching.ts";
import {
  clocksWords,
  type Draft,
  draftOf,
  faultsOf,
  freshFor,
  LASTING,
  previewWords,
  silenceOf,
} from "./silence_draft.ts";
import { matchWords, silenceWords } from "./telling.ts";

interface SilenceEditorProps {
  /** The silence to change, or which alerts a new one is meant for at first. */
  from: StoredSilence | Matcher;
  onClosed: (saved: boolean) => void;
}

const SHOWN = [...MATCH_FIELDS, "starts", "ends", "for_s", "reason"];

export function SilenceEditor({ from, onClosed }: SilenceEditorProps) {
  const stored = "version" in from ? from : null;
  const editing = useEditing<StoredSilence, Draft>({
    what: "silence",
    stored,
    fresh: freshFor("version" in from ? from.match : from),
    draftOf,
    collection: "/silences",
    idOf: ({ id }) => id,
    bodyOf: silenceOf,
    faultsOf: (draft) => faultsOf(draft, now.peek() / 1000),
  });
  const { draft, errors, set, theirs } = editing;
  return (
    <EditorDialog
      title={stored ? "Silence" : "New silence"}
      what={stored ? "the silence" : "the new silence"}
      dirty={editing.dirty}
      busy={editing.busy}
      submit={stored ? "Save silence" : "Silence"}
      general={SHOWN.some((name) => errors[name]) ? null : editing.refusal}
      failures={editing.failures}
      theirs={
        theirs && `Somebody changed this silence meanwhile: ${matchWords(theirs.match)}, ${silenceWords(theirs)}.`
      }
      onSave={editing.save}
      onTake={editing.take}
      onOverwrite={editing.overwrite}
      onClosed={onClosed}
    >
      <div class="fields">
        <Times draft={draft} errors={errors} set={set} />
        <MatchFields draft={draft} errors={errors} set={set} />
        <Field label="Comment" error={errors.reason} hint="for the others: why, and who works on it" wide>
          <input
            name="reason"
            autocomplete="off"
            maxLength={500}
            value={draft.reason}
            onInput={(event) => set({ reason: event.currentTarget.value })}
          />
        </Field>
      </div>
      <Preview match={matcherOf(draft)} />
    </EditorDialog>
  );
}

interface TimesProps {
  draft: Draft;
  errors: Readonly<Record<string, string>>;
  set: (change: Partial<Draft>) => void;
}

/** From when until when. One that has begun keeps its beginning. */
function Times({ draft, errors, set }: TimesProps) {
  return (
    <>
      {draft.begins !== "kept" && (
        <Field label="Begins" wide={draft.begins === "now"}>
          <select
            name="begins"
            value={draft.begins}
            onChange={(event) => set({ begins: event.currentTarget.value as Draft["begins"] })}
          >
            <option value="now">now</option>
            <option value="at">at a time</option>
          </select>
        </Field>
      )}
      {draft.begins === "at" && (
        <Field label="From" error={errors.starts} hint={clocksWords(draft.starts, now.peek() / 1000)}>
          <input
            type="datetime-local"
            name="starts"
            value={draft.starts}
            onInput={(event) => set({ starts: event.currentTarget.value })}
          />
        </Field>
      )}
      <Field label="Lasts" error={errors.for_s} wide={draft.lasts !== "until"}>
        <select name="lasts" value={draft.lasts} onChange={(event) => set({ lasts: event.currentTarget.value })}>
          {LASTING.map(([seconds, words]) => (
            <option key={seconds} value={String(seconds)}>
              {words}
            </option>
          ))}
          <option value="until">until a time</option>
        </select>
      </Field>
      {draft.lasts === "until" && (
        <Field label="Until" error={errors.ends} hint={clocksWords(draft.ends, now.peek() / 1000)}>
          <input
            type="datetime-local"
            name="ends"
            value={draft.ends}
            onInput={(event) => set({ ends: event.currentTarget.value })}
          />
        </Field>
      )}
    </>
  );
}

/** A pause in the typing after which the gateway is asked what it fits. */
const PAUSE_MS = 300;
/** Alerts and hosts named. */
const NAMED = 5;

type Answer = { match: string; found: Silenced } | { match: string; failure: string };

function Preview({ match }: { match: Matcher }) {
  const answer = useSignal<Answer | null>(null);
  const asked = JSON.stringify(match);
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      const body = { match: JSON.parse(asked) as Matcher };
      try {
        const found = await request<Silenced>("POST", "/silences/preview", { body, signal: abort.signal });
        answer.value = { match: asked, found };
      } catch (reason) {
        if (abort.signal.aborted) return;
        if (!(reason instanceof Failure)) throw reason;
        answer.value = { match: asked, failure: reason.message };
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [answer, asked]);
  return (
    <div class="preview" role="status">
      {answer.value?.match !== asked ? (
        "Checking which alerts it matches …"
      ) : (
        <Told answer={answer.value} match={match} />
      )}
    </div>
  );
}

function Told({ answer, match }: { answer: Answer; match: Matcher }) {
  if ("failure" in answer) return <>What it matches is not known: {answer.failure}</>;
  const { found } = answer;
  const alerts = found.incidents
    .slice(0, NAMED)
    .map((one) => [one.rule_name, "on", one.host || "Sonde", one.instance].filter(Boolean).join(" "));
  return (
    <>
      <p>{previewWords(match, found)}</p>
      {alerts.length > 0 && <p>Alerts: {listed(alerts, found.incident_count)}</p>}
      {found.hosts.length > 0 && <p>Hosts: {listed(found.hosts.slice(0, NAMED), found.host_count)}</p>}
    </>
  );
}

const listed = (names: readonly string[], count: number): string =>
  `${names.join(", ")}${count > names.length ? ` and ${count - names.length} more` : ""}`;
