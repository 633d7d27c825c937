// Acknowledging an alert right where it is listed.
import { useEffect, useRef } from "preact/hooks";
import { request } from "../api/client.ts";
import type { ActiveAlert } from "../api/types.gen.ts";
import { now } from "../live/session.ts";
import { Action } from "../shell/allowed.tsx";
import { useSending } from "../shell/sending.ts";
import { active } from "./data.ts";
import { isSeen } from "./transitions.ts";

export function Acknowledge({ alert }: { alert: ActiveAlert }) {
  const { busy, failure, send } = useSending();
  const word = useRef<HTMLElement>(null);
  /** It was acknowledged here: the button goes, and the focus with it. */
  const pressed = useRef(false);
  // Only what is seen for a time looks at the clock.
  const seen = isSeen(alert, alert.acknowledged_until === null ? 0 : now.value / 1000);
  useEffect(() => {
    if (seen && pressed.current && document.activeElement === document.body) word.current?.focus();
    pressed.current = false;
  }, [seen]);
  async function acknowledge(): Promise<void> {
    pressed.current = await send(() => request("POST", `/incidents/${alert.incident}/acknowledge`));
    active.load();
  }
  return (
    <span class="seeing">
      {seen ? (
        <em ref={word} tabIndex={-1}>
          acknowledged
        </em>
      ) : (
        <Action needs="operator" onClick={() => void acknowledge()}>
          {busy ? "One moment …" : "Acknowledge"}
          <span class="hidden">
            {" "}
            {alert.rule_name} {alert.host} {alert.instance}
          </span>
        </Action>
      )}
      {failure && (
        <span class="error" role="alert">
          {failure.message}
        </span>
      )}
    </span>
  );
}
