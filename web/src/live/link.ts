// How a tab reaches the hub: in a SharedWorker; where there is none, in the one tab that holds a lock; where there are no
// locks either (old browsers, pages not served over TLS), in the tab itself.
import type { Hub } from "./hub.ts";
import type { FromHub, ToHub } from "./messages.ts";

export interface Link {
  post: (message: ToHub) => void;
  /** Called when the hub has been silent for too long: its worker has ended, or its tab is asleep. */
  revive: () => void;
}

const LOCK = "sonde-hub";

/** Connects to the hub. `onHub` is called when another hub begins, which knows nothing of this tab yet. */
export function link(receive: (message: FromHub) => void, onHub: () => void): Link {
  if ("SharedWorker" in globalThis) return shared(receive);
  if (navigator.locks && "BroadcastChannel" in globalThis) return elected(receive, onHub);
  return own(receive, onHub);
}

function shared(receive: (message: FromHub) => void): Link {
  const open = () => {
    const { port } = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "sonde" });
    port.onmessage = ({ data }: MessageEvent<FromHub>) => receive(data);
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
const loadHub = async (): Promise<Hub> => (await import("./hub.ts")).createHub();

function own(receive: (message: FromHub) => void, onHub: () => void): Link {
  let hub: Hub | null = null;
  void loadHub().then((loaded) => {
    hub = loaded;
    onHub();
  });
  return { post: (message) => hub?.receive(receive, message, receive), revive: () => {} };
}

/** What goes over the channel that all tabs hear. */
type Shared = { from: string; message: ToHub } | { hub: true };

/** The tab that gets the lock runs the hub until it closes, or until a tab that hears nothing of it takes the lock. */
function elected(receive: (message: FromHub) => void, onHub: () => void): Link {
  const tab = crypto.randomUUID();
  const toHub = new BroadcastChannel(LOCK);
  const mine = new BroadcastChannel(`${LOCK}-${tab}`);
  mine.onmessage = ({ data }: MessageEvent<FromHub>) => receive(data);
  let hub: Hub | null = null;
  const channels = new Map<string, BroadcastChannel>();
  toHub.onmessage = ({ data }: MessageEvent<Shared>) => {
    if ("hub" in data) onHub();
    else if (hub) {
      const channel = channels.get(data.from) ?? new BroadcastChannel(`${LOCK}-${data.from}`);
      channels.set(data.from, channel);
      hub.receive(data.from, data.message, (message) => channel.postMessage(message));
    }
  };
  const stand = (steal: boolean) => {
    const lead = async () => {
      hub = await loadHub();
      toHub.postMessage({ hub: true } satisfies Shared);
      onHub();
      return new Promise<never>(() => {});
    };
    navigator.locks.request(LOCK, { steal }, lead).catch(() => {
      // Another tab took the lock: that one runs the hub now, and this one waits for its turn again.
      hub?.close();
      hub = null;
      stand(false);
    });
  };
  stand(false);
  return {
    post: (message) => {
      if (hub) hub.receive(tab, message, receive);
      else toHub.postMessage({ from: tab, message } satisfies Shared);
    },
    revive: () => {
      if (!hub) stand(true);
    },
  };
}
