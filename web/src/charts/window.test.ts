import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bounds,
  moved,
  parseWindow,
  pointsFor,
  refetchAfter,
  resolutionName,
  SHORTEST_MS,
  stepFor,
  windowQuery,
  zoomed,
} from "./window.ts";

const query = (text: string) => new URLSearchParams(text);

test("a preset in the query is the window", () => {
  assert.deepEqual(parseWindow(query("range=1h")), { kind: "live", preset: "1h", span_ms: 3_600_000 });
});

test("nonsense in the query is the default window", () => {
  for (const text of ["", "range=2w", "range=toString", "from=5", "from=9&to=3", "from=a&to=b", "from=-5&to=3"])
    assert.equal(
      parseWindow(query(text)).kind === "live" && (parseWindow(query(text)) as { preset: string }).preset,
      "15m",
      text,
    );
});

test("a fixed range survives the way through the URL", () => {
  const window = { kind: "fixed", from: 1_700_000_000_000, to: 1_700_000_060_000 } as const;
  const entries = Object.entries(windowQuery(window)).filter(([, value]) => value !== null) as [string, string][];
  assert.deepEqual(parseWindow(new URLSearchParams(entries)), window);
});

test("a live window slides, a fixed one stays", () => {
  assert.deepEqual(bounds({ kind: "live", preset: "5m", span_ms: 300_000 }, 1_000_000), {
    from: 700_000,
    to: 1_000_000,
  });
  assert.deepEqual(bounds({ kind: "fixed", from: 1, to: 2 }, 1_000_000), { from: 1, to: 2 });
});

test("a drag to the left zooms like one to the right", () => {
  assert.deepEqual(zoomed(90_000, 30_000, 0, 100_000), { kind: "fixed", from: 30_000, to: 90_000 });
});

test("a drag beyond the charts is cut at their edges", () => {
  assert.deepEqual(zoomed(-50_000, 150_000, 0, 100_000), { kind: "fixed", from: 0, to: 100_000 });
});

test("a drag of a few pixels widens to the shortest range around it", () => {
  const window = zoomed(50_000, 51_000, 0, 100_000);
  assert.deepEqual(window, { kind: "fixed", from: 50_500 - SHORTEST_MS / 2, to: 50_500 + SHORTEST_MS / 2 });
});

test("a click is no zoom", () => {
  assert.equal(zoomed(50_000, 50_000, 0, 100_000), null);
});

test("a step is a whole number of periods and never below one", () => {
  assert.equal(stepFor(300_000, 600, 1000), 1000);
  assert.equal(stepFor(900_000, 600, 1000), 2000);
  assert.equal(stepFor(3_600_000, 600, 10_000), 10_000);
  assert.equal(stepFor(86_400_000, 600, 10_000), 150_000);
});

test("points follow the width in hundreds, within limits", () => {
  assert.equal(pointsFor(120), 300);
  assert.equal(pointsFor(601), 700);
  assert.equal(pointsFor(9000), 1500);
});

test("what live samples continue is fetched seldom, the rest with its step", () => {
  assert.equal(refetchAfter(1000), 240_000);
  assert.equal(refetchAfter(150_000), 75_000);
  assert.equal(refetchAfter(900_000), 120_000);
});

test("a resolution says whether points are samples or steps", () => {
  assert.equal(resolutionName("raw", 1000, 1000), "raw, 1 s");
  assert.equal(resolutionName("raw", 6000, 1000), "raw, 6 s steps");
  assert.equal(resolutionName("raw", 150_000, 10_000), "raw, 2.5 min steps");
  assert.equal(resolutionName("minute", 180_000, 1000), "minute, 3 min steps");
  assert.equal(resolutionName("hour", 7_200_000, 1000), "hour, 2 h steps");
});

test("panning and zooming keep the middle and never pass the present", () => {
  const window = { kind: "fixed", from: 100_000, to: 200_000 } as const;
  assert.deepEqual(moved(window, 1_000_000, -0.5, 1), { kind: "fixed", from: 50_000, to: 150_000 });
  assert.deepEqual(moved(window, 1_000_000, 0, 0.5), { kind: "fixed", from: 125_000, to: 175_000 });
  assert.deepEqual(moved(window, 220_000, 0.5, 1), { kind: "fixed", from: 120_000, to: 220_000 });
});
