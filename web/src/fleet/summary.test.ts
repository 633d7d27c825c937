import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSearch } from "./search.ts";
import { standing, summarise } from "./summary.ts";

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

const candidate = {
  id: "web-1",
  hostname: "web-1.example.net",
  tags: ["prod", "eu-west"],
  standing: "warning" as const,
  summary: () => summarise(values, 8),
};
const found = (text: string) => parseSearch(text).matches(candidate);

test("every word must hold", () => {
  assert.ok(found("web eu"));
  assert.ok(!found("web us"));
});

test("an empty search finds everything", () => {
  assert.ok(found("  "));
});

test("numbers, tags and states are words of the grammar", () => {
  assert.ok(found("cpu>80 disk>=91 tag:prod warning"));
  assert.ok(!found("cpu>81"));
  assert.ok(!found("tag:west"));
  assert.ok(!found("offline"));
});

test("a number nobody knows matches no comparison", () => {
  assert.ok(!found("mem>0"));
  assert.ok(!found("mem<100"));
});

test("only a search that compares numbers follows every sample", () => {
  assert.ok(parseSearch("cpu>80").numeric);
  assert.ok(!parseSearch("tag:prod web colour>5").numeric);
});

test("a host of which nothing was heard for seconds is unknown, whatever it was before", () => {
  assert.equal(standing("up", { warning: 0, critical: 3 }, false), "unknown");
});
