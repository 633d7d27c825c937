import assert from "node:assert/strict";
import { test } from "node:test";
import { axisFor, niceStep, type Reach } from "./scale.ts";

const axis = (reach: Partial<Reach>) =>
  axisFor({ low: 0, high: 0, unit: "", base: 1024, floor: 0, ceiling: null, mirrored: false, ...reach });

test("steps are 1, 2, 2.5 or 5 times a power of ten", () => {
  assert.deepEqual(
    [0.03, 1, 1.2, 2.2, 4, 7, 10, 120].map((value) => niceStep(value)),
    [0.05, 1, 2, 2.5, 5, 10, 10, 200],
  );
});

test("steps of sizes counted in 1024 are powers of two", () => {
  assert.equal(niceStep(3 * 1024, true), 4096);
  assert.equal(niceStep(4096, true), 4096);
});

test("an axis has five ticks, from zero to its top", () => {
  assert.deepEqual(axis({ high: 61, unit: "%", floor: 10 }), { low: 0, high: 80, ticks: [0, 20, 40, 60, 80] });
  assert.deepEqual(axis({ high: 3.7 }).ticks, [0, 1, 2, 3, 4]);
  assert.deepEqual(axis({ high: 3000, unit: "B" }).ticks, [0, 1024, 2048, 3072, 4096]);
});

test("nothing at all still has a tick above zero", () => {
  assert.deepEqual(axis({ unit: "B/s" }).ticks, [0, 1, 2, 3, 4]);
});

test("both halves of mirrored values have one scale", () => {
  const { low, high, ticks } = axis({ low: -7000, high: 1500, unit: "B/s", floor: 1024, mirrored: true });
  assert.deepEqual([low, high], [-8192, 8192]);
  assert.deepEqual(ticks, [-8192, -4096, 0, 4096, 8192]);
});

test("mirrored values of which one half is zero have both halves", () => {
  assert.equal(axis({ high: 1500, unit: "B/s", mirrored: true }).low, -2048);
});

test("an idle chart does not magnify noise", () => {
  assert.equal(axis({ high: 0.01, floor: 1 }).high, 1);
});

test("shares that add up to a hair over 100 do not double the axis", () => {
  assert.equal(axis({ high: 100.02, unit: "%" }).high, 100);
});

test("a known top is the last tick, and no other one is right below it", () => {
  const gib = 1024 ** 3;
  const ticks = (size: number) => axis({ high: gib, unit: "B", ceiling: size * gib }).ticks.map((tick) => tick / gib);
  assert.deepEqual(ticks(32), [0, 8, 16, 24, 32]);
  assert.deepEqual(ticks(15.6), [0, 4, 8, 12, 15.6]);
  assert.deepEqual(ticks(16.4), [0, 8, 16.4]);
});

test("a threshold beyond values that go below zero is on the axis, on either side", () => {
  const { low, high } = axis({ low: -5, high: 5, unit: "ms", ceiling: 200, warning: 100 });
  assert.deepEqual([low, high], [-200, 200]);
  assert.equal(axis({ high: 5, unit: "ms", ceiling: 100, critical: -60 }).low, -100);
});

test("values above the known top are not cut", () => {
  assert.equal(axis({ high: 5, ceiling: 3 }).high, 8);
});
