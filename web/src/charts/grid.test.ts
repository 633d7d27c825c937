import assert from "node:assert/strict";
import { test } from "node:test";
import type { SeriesAnswer } from "../api/types.gen.ts";
import { boundedStep, gridFor, MOST_STEPS, resolutionName, stepFor } from "./grid.ts";
import { bounds, LONGEST_MS, liveWindow, moved, PRESETS, SHORTEST_MS } from "./window.ts";

const NOW = 1_800_000_000_000;
const PERIODS_MS = [1000, 5000, 10_000, 300_000];

/** What the gateway answers for a range. */
function answerFor(from: number, to: number, points: number, period_ms: number): SeriesAnswer {
  const step_ms = stepFor(to - from, points, period_ms);
  return { host: "web-1", from, to, resolution: "raw", step_ms, times: [], series: [] };
}

test("a step is the least of the gateway's that is enough, and never below the period", () => {
  assert.equal(stepFor(300_000, 600, 1000), 1000);
  assert.equal(stepFor(900_000, 600, 1000), 2000);
  assert.equal(stepFor(3_600_000, 600, 10_000), 10_000);
  assert.equal(stepFor(86_400_000, 600, 10_000), 180_000);
  assert.equal(stepFor(LONGEST_MS, 300, 1000), 16 * 86_400_000);
});

test("from every preset to every other one, and to any zoom, the steps to draw are bounded", () => {
  const windows = [
    ...Object.keys(PRESETS).map((preset) => bounds(liveWindow(preset), NOW)),
    { from: NOW - SHORTEST_MS, to: NOW },
    { from: NOW - LONGEST_MS, to: NOW },
    bounds(moved(liveWindow("1y"), NOW, 0, 2), NOW),
  ];
  for (const period_ms of PERIODS_MS)
    for (const before of windows)
      for (const after of windows) {
        const answer = answerFor(before.from, before.to, 700, period_ms);
        const { step_ms } = gridFor(answer, after.from, after.to, 700, period_ms);
        assert.ok((after.to - after.from) / step_ms <= MOST_STEPS, `${before.from} ${after.from} ${step_ms}`);
      }
});

test("an answer for the window is drawn as it is, however few steps it has", () => {
  for (const period_ms of PERIODS_MS)
    for (const span_ms of [SHORTEST_MS, 60_000, ...Object.values(PRESETS)]) {
      const answer = answerFor(NOW - span_ms, NOW, 700, period_ms);
      assert.equal(gridFor(answer, NOW - span_ms + 1000, NOW + 1000, 700, period_ms).answer, answer);
    }
});

test("zooming in shows the coarse answer until the fine one is there", () => {
  const day = answerFor(NOW - 86_400_000, NOW, 600, 1000);
  assert.equal(gridFor(day, NOW - 3_600_000, NOW, 600, 1000).answer, day);
});

test("an answer that is too coarse, too fine or of another time is waited for", () => {
  const year = answerFor(NOW - 365 * 86_400_000, NOW, 600, 1000);
  assert.equal(gridFor(year, NOW - 300_000, NOW, 600, 1000).answer, null);
  const minutes = answerFor(NOW - 300_000, NOW, 600, 1000);
  assert.equal(gridFor(minutes, NOW - 86_400_000, NOW, 600, 1000).answer, null);
  assert.equal(gridFor(minutes, NOW - 700_000, NOW - 400_000, 600, 1000).answer, null);
});

test("a step too short for a range is made longer by whole steps", () => {
  assert.equal(boundedStep(1000, 1_000_000), 1000);
  assert.equal(boundedStep(1000, 365 * 86_400_000) % 1000, 0);
  assert.ok((365 * 86_400_000) / boundedStep(1000, 365 * 86_400_000) <= MOST_STEPS);
});

test("a resolution says whether points are samples or steps", () => {
  assert.equal(resolutionName("raw", 1000, 1000), "raw, 1 s");
  assert.equal(resolutionName("raw", 6000, 1000), "raw, 6 s steps");
  assert.equal(resolutionName("raw", 150_000, 10_000), "raw, 2.5 min steps");
  assert.equal(resolutionName("minute", 180_000, 1000), "minute, 3 min steps");
  assert.equal(resolutionName("hour", 7_200_000, 1000), "hour, 2 h steps");
  assert.equal(resolutionName("hour", 172_800_000, 1000), "hour, 2 d steps");
});
