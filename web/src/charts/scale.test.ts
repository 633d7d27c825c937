import assert from "node:assert/strict";
import { test } from "node:test";
import { axisRange, axisTicks, niceTop, percentTop } from "./scale.ts";

test("percentages snap to few tops", () => {
  assert.deepEqual([0, 3, 7, 24, 60, 100].map(percentTop), [5, 5, 10, 25, 100, 100]);
  assert.equal(percentTop(140), 200);
  assert.equal(percentTop(100.02), 100);
});

test("plain tops are 1, 2 or 5 times a power of ten", () => {
  assert.deepEqual(
    [0.03, 1, 1.2, 4, 7, 10, 120].map((value) => niceTop(value)),
    [0.05, 1, 2, 5, 10, 10, 200],
  );
});

test("sizes counted in 1024 snap to powers of two", () => {
  assert.equal(niceTop(3 * 1024, 1024), 4096);
  assert.equal(niceTop(4096, 1024), 4096);
});

test("nothing at all still has an axis", () => {
  assert.deepEqual(axisRange(0, 0, "B/s", 1024, 0), [0, 1]);
});

test("mirrored values get room on both sides", () => {
  assert.deepEqual(axisRange(-300, 1500, "B/s", 1024, 1024), [-1024, 2048]);
});

test("an idle chart does not magnify noise", () => {
  assert.deepEqual(axisRange(0, 0.01, "", 1024, 1), [0, 1]);
});

test("ticks are round and include zero", () => {
  assert.deepEqual(axisTicks(0, 100, "%", 1024, 4), [0, 25, 50, 75, 100]);
  assert.deepEqual(axisTicks(-1024, 2048, "B/s", 1024, 3), [-1024, 0, 1024, 2048]);
  assert.deepEqual(axisTicks(0, 5, "", 1024, 4), [0, 2, 4]);
});
