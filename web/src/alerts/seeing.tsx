// Acknowledging an alert right where it is listed.
import { request } from "../api/client.ts";
import type { ActiveAlert } from "../api/types.gen.ts";
import { Action } from "../shell/allowed.tsx";
import { useSending } from "../shell/sending.ts";
import { active } from "./data.ts";

export function Acknowledge({ alert }: { alert: ActiveAlert }) {
  const { busy, failure, send } = useSending();
  async function acknowledge(): Promise<void> {
    await send(() => request("POST", `/incidents/${alert.incident}/acknowledge`));
    active.load();
  }
  return (
    <span class="seeing">
      {alert.acknowledged ? (
        <em>acknowledged</em>
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
