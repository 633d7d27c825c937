// Ending with a host: its identity is revoked, or the host is removed. Both ask first, and say what happens.
import { type Signal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { request } from "../api/client.ts";
import { navigate } from "../router.ts";
import { Action } from "../shell/allowed.tsx";
import { Question } from "../shell/question.tsx";
import { AGAIN } from "./identity.ts";
import "../style/parting.css";

interface PartingProps {
  id: string;
  /** Whether it is kept only for its history. */
  archived: boolean;
  /** Whether it has an identity that can be revoked. */
  revocable: boolean;
  /** Its identity is another one, or none. */
  onChanged: () => void;
}

export function Parting({ id, archived, revocable, onChanged }: PartingProps) {
  const box = useRef<HTMLDivElement>(null);
  const asked = useSignal<"revoke" | "remove" | null>(null);
  const address = `/hosts/${encodeURIComponent(id)}`;

  function closed(done: boolean): void {
    asked.value = null;
    if (!done) return;
    // The button that had the focus may be gone.
    box.current?.closest("details")?.querySelector("summary")?.focus();
    onChanged();
  }
  return (
    <div class="parting" ref={box}>
      {revocable && (
        <Action
          needs="admin"
          onClick={() => {
            asked.value = "revoke";
          }}
        >
          Revoke identity
        </Action>
      )}
      <Action
        needs="admin"
        class="danger"
        onClick={() => {
          asked.value = "remove";
        }}
      >
        Remove host
      </Action>
      {asked.value === "revoke" && (
        <Question
          title={`Revoke the identity of ${id}?`}
          yes="Revoke"
          act={() => request("POST", `${address}/revoke`, { body: {} })}
          onClosed={closed}
        >
          <p>
            Its agent is disconnected at once and cannot come back with this identity. The host stays here with its
            history. To let it in again, run <code>{AGAIN}</code> there with a new token.
          </p>
        </Question>
      )}
      {asked.value === "remove" && <Removal id={id} archived={archived} address={address} onClosed={closed} />}
    </div>
  );
}

const KINDS = {
  keep: ["Keep its history", "It stays in the fleet as archived, with its charts, until they are too old."],
  remove: ["Delete its history", "All of its samples go, which takes a while. This cannot be undone."],
} as const;
type Kind = keyof typeof KINDS;

interface RemovalProps {
  id: string;
  archived: boolean;
  address: string;
  onClosed: (done: boolean) => void;
}

function Removal({ id, archived, address, onClosed }: RemovalProps) {
  const kind = useSignal<Kind>(archived ? "remove" : "keep");
  async function remove(): Promise<void> {
    const asked = kind.value;
    await request("DELETE", `${address}?history=${asked}`);
    // The stream may have told already that it is gone, and its page with it.
    if (asked === "remove") navigate("/", { replace: true });
  }
  return (
    <Question
      title={`Remove ${id}?`}
      yes={kind.value === "keep" ? "Remove" : "Remove and delete"}
      act={remove}
      onClosed={onClosed}
    >
      {archived ? (
        <p>{KINDS.remove[1]}</p>
      ) : (
        <>
          <p>Its agent is disconnected at once and cannot come back. Alerts on it end.</p>
          <Choice kind={kind} />
        </>
      )}
    </Question>
  );
}

function Choice({ kind }: { kind: Signal<Kind> }) {
  return (
    <fieldset class="choice">
      <legend class="hidden">Its history</legend>
      {(Object.keys(KINDS) as Kind[]).map((one) => (
        <label key={one}>
          <input
            type="radio"
            name="history"
            checked={kind.value === one}
            onChange={() => {
              kind.value = one;
            }}
          />
          <span>
            {KINDS[one][0]}
            <small>{KINDS[one][1]}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
