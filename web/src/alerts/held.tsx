// Channels on which nothing can be sent: told where people look for alerts, as nobody is told there.
import type { StoredChannel } from "../api/types.gen.ts";
import { age } from "../format.ts";
import { now } from "../live/session.ts";
import { channels, useChannels } from "./channels.ts";
import "../style/forms.css";

export function HeldChannels() {
  useChannels();
  const all = channels.state.value.value?.channels ?? [];
  const held = all.filter(({ channel, state }) => channel.enabled && state.held_since !== null);
  return (
    <div class="held" role="status">
      {held.map((stored) => (
        <p key={stored.channel.id} class="notice bad">
          <Words stored={stored} all={all} />
        </p>
      ))}
    </div>
  );
}

function Words({ stored: { channel, state }, all }: { stored: StoredChannel; all: readonly StoredChannel[] }) {
  const instead = all.find((one) => one.channel.id === channel.fallback)?.channel.name;
  return (
    <span>
      <b>Nothing reaches {channel.name}</b>
      <span aria-hidden="true"> for {age(now.value - (state.held_since ?? 0) * 1000)}</span>: {state.held_reason}.{" "}
      {instead ? `${instead} is told instead.` : "Nobody is told instead."}{" "}
      <a href="/settings">
        Fix it<span class="hidden">: {channel.name}</span>
      </a>
    </span>
  );
}
