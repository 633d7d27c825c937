import assert from "node:assert/strict";
import { test } from "node:test";
import { cpu, host, store } from "./builders.ts";
import { applyFrame, applyHost, applyImage, applySnapshot, imageOf, serverNow } from "./store.ts";

test("an image of a store makes another one that knows the same", () => {
  const { made } = store();
  applySnapshot(made, { time: 1000, hosts: [host("a"), host("b")], history: {} }, 0);
  applyFrame(made, { time: 2000, samples: [cpu("a", 1500, 7), cpu("a", 2000, 8)] }, 1000);
  const other = store().made;
  applySnapshot(other, { time: 1000, hosts: [host("gone")], history: {} }, 0);
  applyImage(other, structuredClone(imageOf(made)));
  assert.deepEqual(other.ids.peek(), ["a", "b"]);
  const entry = other.entries.get("a");
  assert.deepEqual(entry?.rings.get("cpu.total")?.get("")?.values, [7, 8]);
  assert.deepEqual([entry?.lastSample, entry?.latest.cpu?.[""]?.total], [2000, 8]);
  assert.equal(serverNow(other, 0), serverNow(made, 0));
});

test("an image keeps the samples that the store has of before", () => {
  const { made } = store();
  applySnapshot(made, { time: 1000, hosts: [host("a")], history: {} }, 0);
  applyFrame(made, { time: 1000, samples: [cpu("a", 1000, 1)] }, 0);
  const later = store().made;
  applySnapshot(later, { time: 2000, hosts: [host("a")], history: {} }, 1000);
  applyFrame(later, { time: 2000, samples: [cpu("a", 2000, 2)] }, 1000);
  applyImage(made, imageOf(later));
  assert.deepEqual(made.entries.get("a")?.rings.get("cpu.total")?.get("")?.times, [1000, 2000]);
});

test("a family that the gateway names no more is gone, from here and from an image", () => {
  const { made } = store();
  const latest = { gpu: { "0": { utilisation: 87 } }, cpu: { "": { total: 1 } } };
  applySnapshot(made, { time: 0, hosts: [host("a", { last_sample: 1000, latest })], history: {} }, 0);
  const behind = store().made;
  applyImage(behind, structuredClone(imageOf(made)));
  applyHost(made, host("a", { last_sample: 65_000, latest: { cpu: { "": { total: 2 } } } }));
  assert.deepEqual(made.entries.get("a")?.latest, { cpu: { "": { total: 2 } } });
  applyImage(behind, structuredClone(imageOf(made)));
  assert.deepEqual(behind.entries.get("a")?.latest, { cpu: { "": { total: 2 } } });
});

test("an image of a host whose clock was set back replaces what is known of times to come", () => {
  const { made } = store();
  applySnapshot(made, { time: 0, hosts: [host("a", { last_sample: 480_000 })], history: {} }, 0);
  applyFrame(made, { time: 300_000, samples: [cpu("a", 480_000, 9)] }, 0);
  const relay = store().made;
  const latest = { cpu: { "": { total: 5 } } };
  applySnapshot(relay, { time: 301_000, hosts: [host("a", { last_sample: 301_000, latest })], history: {} }, 0);
  applyImage(made, structuredClone(imageOf(relay)));
  assert.deepEqual([made.entries.get("a")?.lastSample, made.entries.get("a")?.latest], [301_000, latest]);
});
