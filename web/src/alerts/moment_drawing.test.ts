import assert from "node:assert/strict";
import { test } from "node:test";
import { momentOf, reachOf } from "./moment_drawing.ts";

const answer = (...avg: (number | null)[]) => ({
  from: 0,
  to: 1000 * (avg.length - 1),
  step_ms: 1000,
  times: avg.map((_, at) => at * 1000),
  series: [{ metric: "cpu.total", instance: "", unit: "%", avg, min: avg, max: avg }],
});

test("a small drawing shows values and threshold, not all the way down to zero", () => {
  assert.deepEqual(reachOf([80, null, 90], 85), { low: 78.2, high: 91.8 });
  for (const alone of [reachOf([null], 0), reachOf([null], null), reachOf([0, 0], null)])
    assert.equal(alone.high > alone.low, true);
});

test("values and their threshold are on one scale", () => {
  const { line, limit_y, since } = momentOf(answer(20, 95), 250, 90, 100, 100);
  // From 12.5 to 102.5.
  assert.equal(line, "M0 91.7L100 8.3");
  assert.equal(Math.round(limit_y ?? 0), 14);
  assert.equal(since, 25);
});

test("a threshold of something else than the values is no line, and takes nothing of their scale", () => {
  const { line, limit_y } = momentOf(answer(120_000, 120_100), 0, null, 100, 100);
  assert.equal(limit_y, null);
  const [first, last] = [...line.matchAll(/ ([\d.]+)/g)].map(([, y]) => Number(y));
  assert.notEqual(first, last);
});

test("an alert that began before what is drawn is on from the left edge", () => {
  assert.equal(momentOf(answer(1, 2), -5000, 1, 100, 100).since, 0);
});
