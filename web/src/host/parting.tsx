// Ending with a host: its identity is revoked, or the host is removed. Both ask first, and say what happens.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { request } from "../api/client.ts";
import { navigate } from "../router.ts";
import { Question } from "../shell/question.tsx";
import { AGAIN } from "./identity.ts";

interface PartingProps {
  id: string;
  /** Whether it has an identity that can be revoked. */
  revocable: boolean;
  onRevoked: () => void;
}

export function Parting({ id, revocable, onRevoked }: PartingProps) {
  const box = useRef<HTMLDivElement>(null);
  const asked = useSignal<"revoke" | "remove" | null>(null);
  const address = `/hosts/${encodeURIComponent(id)}`;

  function closed(done: boolean): void {
    const what = asked.value;
    asked.value = null;
    if (!done) return;
    if (what === "remove") {
      navigate("/", { replace: true });
      return;
    }
    // The button that had the focus goes.
    box.current?.closest("details")?.querySelector("summary")?.focus();
    onRevoked();
  }
  return (
    <div class="parting" ref={box}>
      {revocable && (
        <button
          type="button"
          onClick={() => {
            asked.value = "revoke";
          }}
        >
          Revoke identity
        </button>
      )}
      <button
        type="button"
        class="danger"
        onClick={() => {
          asked.value = "remove";
        }}
      >
        Remove host
      </button>
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
      {asked.value === "remove" && <Removal id={id} address={address} onClosed={closed} />}
    </div>
  );
}

const KINDS = {
  keep: ["Keep its history", "What is stored can still be read over the API, until it is too old."],
  remove: ["Delete its history", "All of its samples go, which takes a while. This cannot be undone."],
} as const;
type Kind = keyof typeof KINDS;

interface RemovalProps {
  id: string;
  address: string;
  onClosed: (done: boolean) => void;
}

function Removal({ id, address, onClosed }: RemovalProps) {
  const kind = useSignal<Kind>("keep");
  return (
    <Question
      title={`Remove ${id}?`}
      yes={kind.value === "keep" ? "Remove" : "Remove and delete"}
      act={() => request("DELETE", `${address}?history=${kind.value}`)}
      onClosed={onClosed}
    >
      <p>Its agent is disconnected at once and cannot come back. The host is no longer shown, and alerts on it end.</p>
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
    </Question>
  );
}
