import assert from "node:assert/strict";
import { test } from "node:test";
import { createChannels } from "./channels.ts";
import { type FromRelay, HIDDEN_SILENT_MS } from "./messages.ts";

const MESSAGE: FromRelay = { kind: "granted", keys: [] };

/** Channels, and those tabs whose channel is open, with how much each was told. */
function made() {
  const open = new Map<string, number>();
  const channels = createChannels((tab) => {
    open.set(tab, 0);
    return { postMessage: () => open.set(tab, (open.get(tab) ?? 0) + 1), close: () => open.delete(tab) };
  });
  return { open, channels };
}

test("a tab is told by one channel, however often it is heard", () => {
  const { open, channels } = made();
  channels.to("a", 0)(MESSAGE);
  channels.to("a", 1000)(MESSAGE);
  assert.deepEqual([...open], [["a", 2]]);
});

test("the channel of a tab that ended without a word is closed when another tab is heard", () => {
  const { open, channels } = made();
  channels.to("ended", 0);
  channels.to("a", HIDDEN_SILENT_MS);
  assert.deepEqual([...open.keys()], ["ended", "a"]);
  channels.to("a", HIDDEN_SILENT_MS + 1);
  assert.deepEqual([...open.keys()], ["a"]);
});

test("a tab that runs the relay no more closes all channels", () => {
  const { open, channels } = made();
  channels.to("a", 0);
  channels.to("b", 0);
  channels.closeAll();
  assert.equal(open.size, 0);
});
