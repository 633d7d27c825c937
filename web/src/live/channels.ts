// The channels from the tab that runs the relay to the other tabs. Browsers end tabs without a word, so that those of which
// nothing is heard any more are closed.
import { type FromRelay, HIDDEN_SILENT_MS } from "./messages.ts";

export interface Channel {
  postMessage: (message: FromRelay) => void;
  close: () => void;
}

export function createChannels(open: (tab: string) => Channel) {
  const channels = new Map<string, { channel: Channel; heard: number }>();
  function close(tab: string): void {
    channels.get(tab)?.channel.close();
    channels.delete(tab);
  }
  return {
    /** What reaches `tab`, of which something was heard at `now`. */
    to(tab: string, now: number): (message: FromRelay) => void {
      const { channel } = channels.get(tab) ?? { channel: open(tab) };
      channels.set(tab, { channel, heard: now });
      for (const [other, { heard }] of channels) if (now - heard > HIDDEN_SILENT_MS) close(other);
      return (message) => channel.postMessage(message);
    },
    close,
    closeAll: () => {
      for (const tab of channels.keys()) close(tab);
    },
  };
}
