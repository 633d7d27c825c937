// How a tab reaches the relay: in a SharedWorker; where there is none, in the one tab that holds a lock; where there are no
// locks either (old browsers, pages not served over TLS), in the tab itself.

import { createChannels } from "./channels.ts";
import type { FromRelay, ToRelay } from "./messages.ts";
import type { Relay } from "./relay.ts";

export interface Link {
  post: (message: ToRelay) => void;
  /** Called when the relay has been silent for too long: its worker has ended, or its tab is asleep. */
  revive: () => void;
}

const LOCK = "sonde-relay";
/** How long a tab waits before it stands for the lock again. */
const AGAIN_MS = 1000;

/** Connects to the relay. `onRelay` is called when another relay begins, which knows nothing of this tab yet. */
export function link(receive: (message: FromRelay) => void, onRelay: () => void): Link {
  if ("SharedWorker" in globalThis) return shared(receive);
  if (navigator.locks && "BroadcastChannel" in globalThis) return elected(receive, onRelay);
  return own(receive, onRelay);
}

function shared(receive: (message: FromRelay) => void): Link {
  const open = () => {
    const { port } = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "sonde" });
    port.onmessage = ({ data }: MessageEvent<FromRelay>) => receive(data);
    return port;
  };
  let port = open();
  return {
    post: (message) => port.postMessage(message),
    revive: () => {
      port.close();
      port = open();
    },
  };
}

/** Browsers that have shared workers never load it. */
const loadRelay = async (): Promise<Relay> => (await import("./relay.ts")).createRelay();

function own(receive: (message: FromRelay) => void, onRelay: () => void): Link {
  let relay: Relay | null = null;
  void loadRelay().then((loaded) => {
    relay = loaded;
    onRelay();
  });
  return { post: (message) => relay?.receive(receive, message, receive), revive: () => {} };
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
    let held = true;
    const lead = async () => {
      const loaded = await loadRelay();
      if (!held) return loaded.close();
      relay = loaded;
      toRelay.postMessage({ relay: true } satisfies Shared);
      onRelay();
      return new Promise<never>(() => {});
    };
    navigator.locks.request(LOCK, { steal }, lead).catch(() => {
      // Another tab took the lock and runs the relay now, or it could not be loaded: wait for a turn again.
      held = false;
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
