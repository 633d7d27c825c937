// How a tab reaches the relay where there is no SharedWorker: it runs in the one tab that holds a lock; where there are no
// locks either, in the tab itself.
import { createChannels } from "./channels.ts";
import type { Link } from "./link.ts";
import type { FromRelay, ToRelay } from "./messages.ts";
import { createRelay, type Relay } from "./relay.ts";

const LOCK = "sonde-relay";
/** How long a tab waits before it stands for the lock again. */
const AGAIN_MS = 1000;

/** Connects to the relay. `onRelay` is called when another relay begins, which knows nothing of this tab yet. */
export const workerless = (receive: (message: FromRelay) => void, onRelay: () => void): Link =>
  navigator.locks && "BroadcastChannel" in globalThis ? elected(receive, onRelay) : own(receive);

function own(receive: (message: FromRelay) => void): Link {
  const relay = createRelay();
  return { post: (message) => relay.receive(receive, message, receive), revive: () => {} };
}

/** What goes over the channel that all tabs hear. */
type Shared = { from: string; message: ToRelay } | { relay: true };

/** The tab that gets the lock runs the relay until it closes, or until a tab that hears nothing of it takes the lock. */
function elected(receive: (message: FromRelay) => void, onRelay: () => void): Link {
  const tab = crypto.randomUUID();
  const toRelay = new BroadcastChannel(LOCK);
  const mine = new BroadcastChannel(`${LOCK}-${tab}`);
  mine.onmessage = ({ data }: MessageEvent<FromRelay>) => receive(data);
  let relay: Relay | null = null;
  const tabs = createChannels((id) => new BroadcastChannel(`${LOCK}-${id}`));
  toRelay.onmessage = ({ data }: MessageEvent<Shared>) => {
    if ("relay" in data) onRelay();
    else if (relay) {
      relay.receive(data.from, data.message, tabs.to(data.from, Date.now()));
      if (data.message.kind === "bye") tabs.close(data.from);
    }
  };
  const stand = (steal: boolean) => {
    const lead = () => {
      relay = createRelay();
      toRelay.postMessage({ relay: true } satisfies Shared);
      onRelay();
      return new Promise<never>(() => {});
    };
    navigator.locks.request(LOCK, { steal }, lead).catch(() => {
      // Another tab took the lock and runs the relay now: wait for a turn again.
      relay?.close();
      relay = null;
      tabs.closeAll();
      setTimeout(() => stand(false), AGAIN_MS);
    });
  };
  stand(false);
  return {
    post: (message) => {
      if (relay) relay.receive(tab, message, receive);
      else toRelay.postMessage({ from: tab, message } satisfies Shared);
    },
    revive: () => {
      if (!relay) stand(true);
    },
  };
}
