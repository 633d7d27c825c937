import assert from "node:assert/strict";
import { test } from "node:test";
import { stretchAround } from "./around.ts";

const MINUTE_MS = 60_000;

test("a moment is shown with ten minutes before and after it", () => {
  assert.deepEqual(stretchAround({ time: 0, end: 0 }, 100 * MINUTE_MS), [-10 * MINUTE_MS, 10 * MINUTE_MS]);
});

test("a long stretch is shown with half its length before and after it", () => {
  assert.deepEqual(stretchAround({ time: 0, end: 100 * MINUTE_MS }, 1000 * MINUTE_MS), [
    -50 * MINUTE_MS,
    150 * MINUTE_MS,
  ]);
});

test("what goes on is shown up to the present, and never more", () => {
  assert.deepEqual(stretchAround({ time: 0, end: null }, 40 * MINUTE_MS), [-20 * MINUTE_MS, 40 * MINUTE_MS]);
});
