// Where people are told: channels with how they do, a test message with what came back, and the dialog to write one.
import { useSignal } from "@preact/signals";
import { channels, useChannels } from "../alerts/channels.ts";
import { KINDS } from "../alerts/telling.ts";
import { request } from "../api/client.ts";
import type { StoredChannel, TrialAnswer } from "../api/types.gen.ts";
import { age } from "../format.ts";
import { now } from "../live/session.ts";
import { lacking } from "../login/me.ts";
import { Action } from "../shell/allowed.tsx";
import { lazy } from "../shell/lazy.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { useOpening } from "../shell/opening.ts";
import { Question } from "../shell/question.tsx";
import { useSending } from "../shell/sending.ts";
import { Nothing } from "../shell/states.tsx";
import { routes } from "./routes_data.ts";
import "../style/alerts.css";
import "../style/telling.css";

const ChannelEditor = lazy("the form", async () => (await import("./channel_editor.tsx")).ChannelEditor);

export function ChannelsSection() {
  useChannels();
  const edited = useSignal<StoredChannel | "new" | null>(null);
  useOpening("new", "channel", lacking("admin") === null, () => {
    edited.value = "new";
  });
  return (
    <section class="panel group" aria-labelledby="channels">
      <header>
        <h2 id="channels">Channels</h2>
        <Action
          needs="admin"
          onClick={() => {
            edited.value = "new";
          }}
        >
          New channel
        </Action>
      </header>
      <Loaded from={channels} what="The channels">
        {(all) => (
          <>
            {all.unreadable.map((item) => (
              <p key={item.id} class="notice warn">
                The channel {item.id} cannot be read, and nobody is told there: {item.reason}.
              </p>
            ))}
            {all.channels.length === 0 ? (
              <Nothing>There is no channel: nobody is told of alerts.</Nothing>
            ) : (
              <ul class="rules">
                {all.channels.map((stored) => (
                  <Row
                    key={stored.channel.id}
                    stored={stored}
                    onEdit={() => {
                      edited.value = stored;
                    }}
                  />
                ))}
              </ul>
            )}
          </>
        )}
      </Loaded>
      {edited.value !== null && (
        <ChannelEditor
          stored={edited.value === "new" ? null : edited.value}
          onClosed={() => {
            edited.value = null;
            channels.load();
          }}
        />
      )}
    </section>
  );
}

function Row({ stored, onEdit }: { stored: StoredChannel; onEdit: () => void }) {
  const { channel, state } = stored;
  const { busy, failure, send } = useSending();
  const answer = useSignal<TrialAnswer | null>(null);
  const removing = useSignal(false);

  async function test(): Promise<void> {
    answer.value = null;
    await send(async () => {
      answer.value = await request<TrialAnswer>("POST", `/channels/${channel.id}/test`);
    });
    channels.load();
  }
  const release = () =>
    send(() => request("POST", `/channels/${channel.id}/release`)).finally(() => {
      channels.load();
    });
  return (
    <li class={`rule panel ${channel.enabled ? "" : "disabled"}`} data-channel={channel.id}>
      <div class="sentence">
        <h3>
          {channel.name} <code class="muted">{channel.id}</code>
          {!channel.enabled && <span class="off">off</span>}
          {state.held_since !== null && <span class="off tone-critical">held</span>}
        </h3>
        <p>
          {KINDS[channel.target.kind]}
          {channel.fallback && `; while it is held ${channel.fallback} is told`}
          {channel.owner && `; kept in a file by ${channel.owner}`}. <Health state={state} />
        </p>
      </div>
      <div class="row-actions">
        <Action needs="operator" onClick={() => void test()}>
          {busy ? "One moment …" : "Test"}
          <span class="hidden"> {channel.name}</span>
        </Action>
        {state.held_since !== null && (
          <Action needs="operator" onClick={() => void release()}>
            Try again<span class="hidden"> {channel.name}</span>
          </Action>
        )}
        <Action needs="admin" onClick={onEdit}>
          Edit<span class="hidden"> {channel.name}</span>
        </Action>
        <Action
          needs="admin"
          class="quiet"
          onClick={() => {
            removing.value = true;
          }}
        >
          Delete<span class="hidden"> {channel.name}</span>
        </Action>
      </div>
      {answer.value && (
        <p class={`telling-answer ${answer.value.ok ? "tone-up" : "tone-critical"}`} role="status">
          {answer.value.ok ? "Delivered. It answered:" : "Not delivered:"}{" "}
          <code>{answer.value.answer || "no answer"}</code>
        </p>
      )}
      {failure && (
        <p class="error" role="alert">
          {failure.message}
        </p>
      )}
      {removing.value && (
        <Question
          title={`Delete the channel ${channel.name}?`}
          yes="Delete"
          act={() => request("DELETE", `/channels/${channel.id}?force=true`, { version: stored.version })}
          onClosed={() => {
            removing.value = false;
            channels.load();
            routes.load();
          }}
        >
          <p>Nobody is told there any more. It is taken out of the routes that name it.</p>
        </Question>
      )}
    </li>
  );
}

function Health({ state }: Pick<StoredChannel, "state">) {
  if (state.held_since !== null) return <span class="tone-critical">Nothing is sent: {state.held_reason}.</span>;
  if (state.failures > 0)
    return (
      <span class="tone-warning">
        {state.failures} {state.failures === 1 ? "attempt" : "attempts"} failed: {state.last_answer}.
      </span>
    );
  if (state.last_sent === null) return <span>Nothing was sent there yet.</span>;
  return <span>Last message {age(now.value - state.last_sent * 1000)} ago.</span>;
}
