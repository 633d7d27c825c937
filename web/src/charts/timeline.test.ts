import assert from "node:assert/strict";
import { test } from "node:test";
import type { SeriesAnswer } from "../api/types.gen.ts";
import { MOST_STEPS } from "./grid.ts";
import { Ring } from "./ring.ts";
import { bridged, lastKnown, timeline } from "./timeline.ts";

/** A stored answer of cpu.total, one value per step from time 0. */
function stored(step_ms: number, avg: (number | null)[], min = avg, max = avg): SeriesAnswer {
  const times = avg.map((_, at) => at * step_ms);
  return {
    host: "web-1",
    from: 0,
    to: avg.length * step_ms,
    resolution: "raw",
    step_ms,
    times,
    series: [{ metric: "cpu.total", instance: "", unit: "%", avg, min, max }],
  };
}

function live(samples: [number, number | null][], instance = "") {
  const ring = new Ring(600_000);
  for (const [time, value] of samples) ring.push(time, value);
  return new Map([["cpu.total", new Map([[instance, ring]])]]);
}

const NONE = new Map();
const METRICS = ["cpu.total"];

test("live samples go on where stored ones end, without a seam", () => {
  const line = timeline(
    stored(1000, [1, 2, 3]),
    live([
      [2000, 3],
      [3000, 4],
      [4000, 5],
    ]),
    METRICS,
    1000,
    0,
    4000,
  ).lines[0];
  assert.deepEqual(line?.avg, [1, 2, 3, 4, 5]);
});

test("a step that live samples cover only in part keeps its stored value", () => {
  const base = stored(5000, [10, 20]);
  const line = timeline(
    base,
    live([
      [7000, 99],
      [8000, 99],
      [10_000, 30],
      [11_000, 50],
    ]),
    METRICS,
    5000,
    0,
    14_000,
  ).lines[0];
  assert.deepEqual(line?.avg, [10, 20, 40]);
  assert.deepEqual(line?.min, [10, 20, 30]);
  assert.deepEqual(line?.max, [10, 20, 50]);
});

test("a step covered by live samples replaces a stored one that was not complete yet", () => {
  const line = timeline(
    stored(2000, [1, 1]),
    live([
      [2000, 6],
      [3000, 8],
    ]),
    METRICS,
    2000,
    0,
    3999,
  ).lines[0];
  assert.deepEqual(line?.avg, [1, 7]);
});

test("what neither knows is a gap", () => {
  const line = timeline(stored(1000, [1, null, 3]), live([[5000, 6]]), METRICS, 1000, 0, 5000).lines[0];
  assert.deepEqual(line?.avg, [1, null, 3, null, null, 6]);
});

test("null samples stay unknown", () => {
  const line = timeline(
    null,
    live([
      [0, null],
      [1000, 5],
    ]),
    METRICS,
    1000,
    0,
    1000,
  ).lines[0];
  assert.deepEqual(line?.avg, [null, 5]);
});

test("a window that begins after the stored one cuts its start", () => {
  const view = timeline(stored(1000, [1, 2, 3, 4]), NONE, METRICS, 1000, 2000, 3000);
  assert.deepEqual(view.times, [2000, 3000]);
  assert.deepEqual(view.lines[0]?.avg, [3, 4]);
});

test("a window that begins before the stored one starts with a gap", () => {
  const base = stored(1000, [1, 2]);
  base.times = [2000, 3000];
  assert.deepEqual(timeline(base, NONE, METRICS, 1000, 0, 3000).lines[0]?.avg, [null, null, 1, 2]);
});

test("stored values of another step are not mixed in", () => {
  assert.deepEqual(timeline(stored(5000, [1, 2]), live([[0, 7]]), METRICS, 1000, 0, 1000).lines[0]?.avg, [7, null]);
});

test("an instance that only one side knows is shown", () => {
  const lines = timeline(stored(1000, [1]), live([[1000, 2]], "eth1"), METRICS, 1000, 0, 1000).lines;
  assert.deepEqual(
    lines.map((line) => line.instance),
    ["", "eth1"],
  );
});

test("an instance that began after the window is no line", () => {
  assert.deepEqual(timeline(null, live([[9001, 2]], "eth1"), METRICS, 1000, 5000, 9000).lines, []);
});

test("an instance that ended before the window is no line, unless it is stored", () => {
  const ended = live([[1000, 2]], "eth1");
  assert.deepEqual(timeline(null, ended, METRICS, 1000, 5000, 9000).lines, []);
  assert.equal(timeline(null, ended, METRICS, 1000, 1000, 9000).lines.length, 1);
  assert.equal(timeline(stored(1000, [1]), live([[1000, 2]]), METRICS, 1000, 5000, 9000).lines.length, 1);
});

test("a hole of one step is drawn through, a longer one is not", () => {
  assert.deepEqual(bridged([1, null, 3, null, null, 6]), [1, undefined, 3, null, null, 6]);
  assert.deepEqual(bridged([null, 1, null]), [null, 1, null]);
});

test("the last known value is looked for only so far back", () => {
  assert.equal(lastKnown([1, 2, null, null], 3, 2), 2);
  assert.equal(lastKnown([1, 2, null, null], 3, 1), null);
  assert.equal(lastKnown([], 3, 5), null);
});

test("steps too short for a range are made longer", () => {
  const year_ms = 365 * 86_400_000;
  const drawn = timeline(stored(1000, [1, 2]), NONE, METRICS, 1000, 0, year_ms);
  assert.ok(drawn.times.length <= MOST_STEPS + 1);
  assert.ok((drawn.times.at(-1) as number) + drawn.step_ms > year_ms);
});
