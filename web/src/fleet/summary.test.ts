import assert from "node:assert/strict";
import { test } from "node:test";
import { fourthMeter, standing, summarise, traffic } from "./summary.ts";

const values = {
  cpu: { "": { total: 81, load1: 4 } },
  filesystem: { "/": { used_percent: 40, inodes_percent: 70 }, "/var": { used_percent: 91, inodes_percent: null } },
  network: { eth0: { received: 100, sent: null }, eth1: { received: 50, sent: null } },
};

test("the fullest file system speaks for all, by name", () => {
  const summary = summarise(values, 8);
  assert.deepEqual(summary.space, { instance: "/var", value: 91 });
  assert.deepEqual(summary.inodes, { instance: "/", value: 70 });
});

test("traffic is added over interfaces, and unknown stays unknown", () => {
  const summary = summarise(values, 8);
  assert.equal(summary.received, 150);
  assert.equal(summary.sent, null);
  assert.equal(summary.memory, null);
  assert.equal(summary.gpu, null);
});

test("all traffic is what is known of both directions", () => {
  assert.equal(traffic(summarise(values, 8)), 150);
  assert.equal(traffic(summarise({}, 8)), null);
});

test("inodes have a meter only when they run out, a GPU where there is one, traffic elsewhere", () => {
  const gpu = { gpu: { "0": { utilisation: 5 } } };
  assert.equal(fourthMeter(summarise(values, 8)), "traffic");
  assert.equal(fourthMeter(summarise({ ...values, ...gpu }, 8)), "gpu");
  const running_out = { filesystem: { "/": { inodes_percent: 70.1 } } };
  assert.equal(fourthMeter(summarise({ ...gpu, ...running_out }, 8)), "inodes");
});

test("load is told per core", () => {
  assert.equal(summarise(values, 8).loadPerCore, 0.5);
  assert.equal(summarise(values, 0).loadPerCore, null);
});

test("a host stands under the worst thing true of it", () => {
  const none = { warning: 0, critical: 0 };
  assert.equal(standing("up", none, true), "up");
  assert.equal(standing("late", none, true), "late");
  assert.equal(standing("late", { warning: 1, critical: 0 }, true), "warning");
  assert.equal(standing("up", { warning: 3, critical: 1 }, true), "critical");
  assert.equal(standing("offline", { warning: 0, critical: 1 }, true), "offline");
});

test("a host of which nothing was heard for seconds is unknown, whatever it was before", () => {
  assert.equal(standing("up", { warning: 0, critical: 3 }, false), "unknown");
});

test("an archived host is archived, whether anything is heard or not", () => {
  assert.equal(standing("archived", { warning: 0, critical: 0 }, true), "archived");
  assert.equal(standing("archived", { warning: 0, critical: 0 }, false), "archived");
});
