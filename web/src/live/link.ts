// How a tab reaches the relay: in a SharedWorker; where there is none, in the one tab that holds a lock; where there are no
// locks either (old browsers, pages not served over TLS), in the tab itself.

import type { FromRelay, ToRelay } from "./messages.ts";

export interface Link {
  post: (message: ToRelay) => void;
  /** Called when the relay has been silent for too long: its worker has ended, or its tab is asleep. */
  revive: () => void;
}

/** Connects to the relay. `onRelay` is called when another relay begins, which knows nothing of this tab yet. */
export function link(receive: (message: FromRelay) => void, onRelay: () => void): Link {
  if ("SharedWorker" in globalThis) return shared(receive);
  return loaded(receive, onRelay);
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
function loaded(receive: (message: FromRelay) => void, onRelay: () => void): Link {
  let found: Link | null = null;
  const load = () =>
    import("./elected.ts").then(
      ({ workerless }) => {
        found ??= workerless(receive, onRelay);
        onRelay();
      },
      // Asked for again when the page notices that it hears nothing.
      () => {},
    );
  void load();
  return { post: (message) => found?.post(message), revive: () => (found ? found.revive() : void load()) };
}
