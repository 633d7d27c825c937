// A test message through the stored webhook, and Slack's answer word for word.
import { useSignal } from "@preact/signals";
import { reasonOf, request } from "../api/client.ts";
import type { ChannelTest } from "../api/types.gen.ts";
import { Action } from "../shell/allowed.tsx";

export function SlackTest({ ready }: { ready: boolean }) {
  const busy = useSignal(false);
  const result = useSignal<ChannelTest | null>(null);
  const error = useSignal<string | null>(null);

  async function send(): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    result.value = null;
    error.value = null;
    try {
      result.value = await request<ChannelTest>("POST", "/channels/slack/test", { body: {} });
    } catch (reason) {
      error.value = reasonOf(reason);
    } finally {
      busy.value = false;
    }
  }

  const got = result.value;
  if (!ready) return <p class="hint">Save a webhook, then a test message can be sent here.</p>;
  return (
    <div class="slack">
      <Action needs="operator" onClick={() => void send()}>
        {busy.value ? "Sending …" : "Send a test message"}
      </Action>
      {got && (
        <p class={got.ok ? "tone-up" : "tone-critical"} role="status">
          {got.ok ? "Delivered." : "Not delivered."} Slack answered{got.status ? ` ${got.status}` : ""}:{" "}
          <code>{got.answer || "nothing"}</code>
        </p>
      )}
      {error.value && (
        <p class="error" role="alert">
          {error.value}
        </p>
      )}
    </div>
  );
}
