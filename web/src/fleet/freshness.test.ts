import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostFacts } from "../api/types.gen.ts";
import { freshness, interval_ms, roughly, staleWords } from "./freshness.ts";

const facts = { sample_interval_s: 1, batch_interval_s: 10 } as HostFacts;
/** As people see it: a space that does not break is a space. */
const plain = (text: string) => text.replaceAll("\u00a0", " ");

test("a host is as fresh as the server says, and unknown while nothing is heard", () => {
  assert.equal(freshness("up", true), "up");
  assert.equal(freshness("late", true), "late");
  assert.equal(freshness("up", false), "unknown");
  assert.equal(freshness("offline", false), "unknown");
});

test("what was seen tells whether a host sends samples or batches", () => {
  assert.equal(interval_ms(1000, facts), 1000);
  assert.equal(interval_ms(10_000, facts), 10_000);
});

test("a sample that took its time leaves the interval as it is", () => {
  assert.equal(interval_ms(2000, facts), 1000);
  assert.equal(interval_ms(9000, facts), 10_000);
});

test("a host that nothing was seen of yet is taken to send samples", () => {
  assert.equal(interval_ms(null, facts), 1000);
});

test("a late host counts the seconds, an offline one only its largest unit", () => {
  assert.equal(plain(staleWords("late", 34_400)), "Late, 34 s");
  assert.equal(plain(staleWords("offline", 18 * 60_000 + 42_000)), "Offline 18 min");
});

test("while nothing is heard, values are the last that were known", () => {
  assert.equal(staleWords("unknown", 34_000), "Last known");
});

test("an archived host is that, whatever is heard", () => {
  assert.equal(freshness("archived", false), "archived");
  assert.equal(staleWords("archived", 34_000), "Archived");
});

test("a host that never sent says so", () => {
  assert.equal(staleWords("offline", null), "No sample yet");
});

test("a rough duration is not rounded up", () => {
  assert.equal(plain(roughly(59.9)), "59 s");
  assert.equal(plain(roughly(86_400 * 14 + 3600 * 23)), "14 d");
});
