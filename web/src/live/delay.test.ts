import assert from "node:assert/strict";
import { test } from "node:test";
import { isFresh, pollDelay, reconnectDelay, retryAfter } from "./delay.ts";

test("waiting doubles, is spread, and ends at half a minute", () => {
  assert.equal(reconnectDelay(0, 1), 500);
  assert.equal(reconnectDelay(0, 0), 250);
  assert.equal(reconnectDelay(3, 1), 4000);
  assert.equal(reconnectDelay(50, 1), 30_000);
});

test("a Retry-After that is no number of seconds is none, and one of an hour is a minute", () => {
  assert.equal(retryAfter("30"), 30_000);
  assert.equal(retryAfter("3600"), 60_000);
  for (const header of [null, "", "Sat, 21 Nov 2026 12:00:00 GMT", "-5"]) assert.equal(retryAfter(header), 0);
});

test("a slow gateway is asked less often, and a failing one less and less", () => {
  assert.equal(pollDelay(20, 0), 5000);
  assert.equal(pollDelay(2000, 0), 20_000);
  assert.equal(pollDelay(20, 1), 10_000);
  assert.equal(pollDelay(20, 9), 30_000);
});

test("five seconds without news, and nobody knows how hosts are", () => {
  assert.ok(isFresh(10_000, 14_999, null));
  assert.ok(!isFresh(10_000, 15_000, null));
  assert.ok(isFresh(10_000, 24_999, 5000));
  assert.ok(!isFresh(10_000, 25_000, 5000));
  assert.ok(!isFresh(null, 0, null));
});
