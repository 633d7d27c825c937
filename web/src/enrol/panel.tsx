// What "Add a machine" holds: the line to paste, and then how far the machine that uses it has come. It changes by itself.
import { useComputed } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { fleet, now } from "../live/session.ts";
import { StandingIcon } from "../shell/icons.tsx";
import { Line } from "../shell/line.tsx";
import { Failed, Waiting } from "../shell/states.tsx";
import { type Invitation, openInvitation } from "./invitation.ts";
import { goodFor, type Stage, settingsApart, stageOf } from "./progress.ts";
import { tokens } from "./tokens.ts";
import "../style/forms.css";
import "../style/enrol.css";

export interface PanelProps {
  /** Whether nothing else can have the focus: in a dialog. */
  takesFocus?: boolean;
  /** The link to the host that has come is followed. */
  onFollow?: () => void;
  /** One line is done with: the next one, for another machine, is another panel. */
  onAnother: () => void;
}

export function Panel({ takesFocus = false, onFollow, onAnother }: PanelProps) {
  const box = useRef<HTMLDivElement>(null);
  const invitation = useInvitation();
  const stage = useStage(invitation);
  const made = invitation.made.value;
  const refusal = invitation.refusal.value;
  const { error, refused } = invitation.token.value;

  const obstacle = made?.obstacle ?? "";
  const shown = stage?.kind ?? (refusal !== null ? "refused" : obstacle === "" ? "making" : "obstructed");
  useEffect(() => {
    const held = document.activeElement;
    const free = held === document.body || box.current?.contains(held);
    const goesOn = shown === "here" || shown === "over";
    if (takesFocus || (free && goesOn)) box.current?.querySelector<HTMLElement>("[data-next]")?.focus();
  }, [shown, takesFocus]);

  return (
    <div class="enrol" ref={box}>
      {shown === "making" && <Waiting what="the line" />}
      {refusal !== null && <Refusal reason={refusal} onRetry={() => void invitation.make()} />}
      {made && stage?.kind === "waiting" && (
        <>
          <Line
            label="Paste this on the machine, as root"
            text={made.line}
            what="the line"
            onCopied={invitation.copied}
          />
          <p class="muted">
            Good for one machine, for <Left until={made.token.expires} />.
          </p>
          <Steps />
        </>
      )}
      {obstacle !== "" && <Obstacle reason={obstacle} onRetry={onAnother} />}
      {stage && <Progress stage={stage} />}
      {stage?.kind === "waiting" && error !== null && (
        <Failed what="Whether it has enrolled" error={error} stale retried={!refused} onRetry={invitation.look} />
      )}
      {stage?.kind === "enrolled" && (
        <p class="muted">It comes within seconds of the agent's start. If it does not, the agent's log says why.</p>
      )}
      {stage?.kind === "over" && (
        <button type="button" class="primary" data-next onClick={onAnother}>
          Make another line
        </button>
      )}
      {stage?.kind === "here" && (
        <div class="next">
          <a class="button primary" data-next href={`/hosts/${stage.host}`} onClick={onFollow}>
            See {stage.host}
          </a>
          <button type="button" onClick={onAnother}>
            Add another
          </button>
        </div>
      )}
    </div>
  );
}

/** A line of this panel's own, withdrawn with it. */
function useInvitation(): Invitation {
  const invitation = useMemo(() => openInvitation(tokens), []);
  useEffect(() => {
    /** A page that the browser keeps may come back, with its line. */
    const leave = ({ persisted }: PageTransitionEvent) => {
      if (!persisted) invitation.close();
    };
    void invitation.make();
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("pagehide", leave);
      invitation.close();
    };
  }, [invitation]);
  return invitation;
}

/** Null while there is no line that a machine could use. */
function useStage({ made, token }: Invitation): Stage | null {
  const sampled = useComputed(() => {
    const [host] = token.value.value?.hosts ?? [];
    if (host === undefined || !fleet.ids.value.includes(host)) return false;
    const entry = fleet.entries.get(host);
    entry?.tick.value;
    return entry !== undefined && entry.lastSample !== null;
  });
  const { value } = token.value;
  return value && made.value?.obstacle === "" ? stageOf(value, () => sampled.value) : null;
}

function Left({ until }: { until: number }) {
  return <>{useComputed(() => goodFor(until - now.value))}</>;
}

function Steps() {
  return (
    <>
      <ol class="steps">
        <li>It checks Python, makes a user of its own and installs the agent.</li>
        <li>The agent makes a key, which never leaves the machine, and enrols.</li>
        <li>It starts as a service and sends its first sample.</li>
      </ol>
      <p class="muted">
        With <code>--dry-run</code> at the end it only says what it would do; <code>--uninstall</code> takes it all
        back.
      </p>
    </>
  );
}

/** Always there once there is a line, so that its changes are announced. */
function Progress({ stage }: { stage: Stage }) {
  return (
    <p class="stage" data-stage={stage.kind} role="status">
      {stage.kind === "here" ? (
        <span class="tone-up">
          <StandingIcon standing="up" />
        </span>
      ) : (
        <i aria-hidden="true" />
      )}
      <span>{words(stage)}</span>
    </p>
  );
}

function words(stage: Stage): string {
  switch (stage.kind) {
    case "waiting":
      return "Waiting for the machine";
    case "enrolled":
      return `${stage.host} enrolled, waiting for its first sample`;
    case "here":
      return `${stage.host} is here`;
    default:
      return stage.why;
  }
}

function Obstacle({ reason, onRetry }: { reason: string; onRetry: () => void }) {
  return (
    <>
      <div class="notice warn">
        <p>
          <b>Other machines cannot join yet:</b>{" "}
          {settingsApart(reason).map((part, at) => (at % 2 ? <code key={part}>{part}</code> : part))}
        </p>
      </div>
      <button type="button" data-next onClick={onRetry}>
        Look again
      </button>
    </>
  );
}

function Refusal({ reason, onRetry }: { reason: string; onRetry: () => void }) {
  return (
    <div class="failed" role="alert">
      <p>
        <b>No line could be made:</b> {reason}
      </p>
      <button type="button" data-next onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}
