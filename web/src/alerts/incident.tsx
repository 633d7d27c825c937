// One incident: how it stands, why people were told or were not, and what one can do about it.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { metricOf } from "../api/catalogue.ts";
import { Failure, get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Incident, IncidentDetail, Reason, Why } from "../api/types.gen.ts";
import { duration, limit, moment, text } from "../format.ts";
import { now } from "../live/session.ts";
import { base } from "../preferences.ts";
import { Discard, isOutside } from "../shell/discard.tsx";
import { CloseIcon, StandingIcon } from "../shell/icons.tsx";
import { lazy } from "../shell/lazy.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { useUnsaved } from "../shell/unsaved.tsx";
import { active, STORM_MS, withNews, withSettings } from "./data.ts";
import { Doing } from "./doing.tsx";
import { hostHref } from "./story.ts";
import { ABOUT_WORDS, byOurClocks } from "./telling.ts";
import "../style/telling.css";

const IncidentChart = lazy("the chart", async () => (await import("./incident_chart.tsx")).IncidentChart);

/** What is known of it; null in it: nothing any more, as of old ones that a link in a message still names. */
interface Whole {
  found: { detail: IncidentDetail; why: Why } | null;
}

interface IncidentDialogProps {
  id: string;
  onClosed: () => void;
}

export function IncidentDialog({ id, onClosed }: IncidentDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const asked = useMemo(() => loader<Whole>((signal) => ask(id, signal)), [id]);
  const note = useSignal("");
  const discarding = useSignal(false);
  /** It may close without asking. */
  const settled = useRef(false);
  const dirty = note.value.trim() !== "";
  useUnsaved("the note", dirty);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    const stops = [withNews(asked.refresh, STORM_MS), withSettings(["telling"], asked.refresh)];
    return () => {
      for (const stop of stops) stop();
      asked.close();
    };
  }, [asked]);

  function close(): void {
    settled.current = true;
    dialog.current?.close();
  }
  function leave(): void {
    if (dirty) discarding.value = true;
    else close();
  }
  return (
    <dialog
      ref={dialog}
      class="editor incident"
      aria-labelledby="incident-title"
      onCancel={(event) => {
        event.preventDefault();
        leave();
      }}
      onMouseDown={(event) => {
        if (dialog.current && event.target === dialog.current && isOutside(event, dialog.current)) {
          event.preventDefault();
          leave();
        }
      }}
      onClose={() => {
        if (settled.current || !dirty) onClosed();
        else {
          // Browsers close a dialog without asking when its user insists.
          dialog.current?.showModal();
          discarding.value = true;
        }
      }}
    >
      <div class="inside">
        {!asked.state.value.value?.found && (
          <header>
            <h2 id="incident-title">Incident {id}</h2>
            <CloseButton onClose={leave} />
          </header>
        )}
        <Loaded from={asked} what="The incident">
          {({ found }) =>
            found === null ? (
              <p>There is no such incident. Those that are over are forgotten with the history of alerts.</p>
            ) : (
              <>
                <Head incident={found.detail.incident} onClose={leave} />
                <p class="conclusion">{byOurClocks(found.why.conclusion)}</p>
                <Doing
                  incident={found.detail.incident}
                  note={note}
                  onDone={() => {
                    asked.load();
                    active.load();
                  }}
                />
                {found.detail.incident.host !== "" && metricOf(found.detail.incident.metric) && (
                  <IncidentChart detail={found.detail} />
                )}
                <Reasons reasons={found.why.reasons} />
              </>
            )
          }
        </Loaded>
        {discarding.value && (
          <Discard
            onKeep={() => {
              discarding.value = false;
              dialog.current?.querySelector<HTMLElement>("[name=note]")?.focus();
            }}
            onDiscard={close}
          />
        )}
      </div>
    </dialog>
  );
}

async function ask(id: string, signal: AbortSignal): Promise<Whole> {
  const address = `/incidents/${encodeURIComponent(id)}`;
  try {
    const [detail, why] = await Promise.all([get<IncidentDetail>(address, signal), get<Why>(`${address}/why`, signal)]);
    return { found: { detail, why } };
  } catch (reason) {
    if (reason instanceof Failure && reason.status === 404) return { found: null };
    throw reason;
  }
}

function CloseButton({ onClose }: { onClose: () => void }) {
  return (
    <button type="button" class="quiet" onClick={onClose} aria-label="Close">
      <CloseIcon />
    </button>
  );
}

function Head({ incident, onClose }: { incident: Incident; onClose: () => void }) {
  const standing = incident.state === "open" ? incident.severity : "up";
  return (
    <>
      <header>
        <h2 id="incident-title">
          {incident.rule_name}
          {incident.instance && <code> {incident.instance}</code>}
        </h2>
        <CloseButton onClose={onClose} />
      </header>
      <p class="facts">
        <span class={`severity tone-${standing}`}>
          <StandingIcon standing={standing} />
          {incident.state === "open" ? incident.severity : incident.ending === "gone" ? "gone" : "over"}
        </span>
        {incident.host ? (
          <a href={hostHref(incident, now.peek())}>{incident.label || incident.host}</a>
        ) : (
          <span>Sonde itself</span>
        )}
        <span>
          {text(incident.value, incident.unit, base())}, limit {limit(incident.threshold, incident.unit, base())}
        </span>
        <span>
          {incident.closed === null && "since "}
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
                {byOurClocks(reason.text)}
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
