// The SharedWorker: one relay for all tabs of this browser.

import type { ToRelay } from "./messages.ts";
import { createRelay } from "./relay.ts";

const relay = createRelay();

addEventListener("connect", (event) => {
  const port = (event as MessageEvent).ports[0] as MessagePort;
  port.onmessage = ({ data }: MessageEvent<ToRelay>) =>
    relay.receive(port, data, (message) => port.postMessage(message));
});
