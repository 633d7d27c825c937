// The SharedWorker: one hub for all tabs of this browser.
import { createHub } from "./hub.ts";
import type { ToHub } from "./messages.ts";

const hub = createHub();

addEventListener("connect", (event) => {
  const port = (event as MessageEvent).ports[0] as MessagePort;
  port.onmessage = ({ data }: MessageEvent<ToHub>) => hub.receive(port, data, (message) => port.postMessage(message));
});
