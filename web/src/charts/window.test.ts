import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bounds,
  type FixedWindow,
  held,
  LONGEST_MS,
  liveWindow,
  moved,
  PRESETS,
  parseWindow,
  pointsFor,
  refetchAfter,
  SHORTEST_MS,
  type Window,
  windowQuery,
  zoomed,
} from "./window.ts";

const NOW = 1_800_000_000_000;
const query = (text: string) => new URLSearchParams(text);
const fixed = (from: number, to: number, more: Partial<FixedWindow> = {}): FixedWindow => ({
  kind: "fixed",
  from,
  to,
  preset: "15m",
  paused: false,
  ...more,
});
/** What a window is once it was in the URL. */
function through(window: Window): Window {
  const entries = Object.entries(windowQuery(window)).filter((entry): entry is [string, string] => entry[1] !== null);
  return parseWindow(new URLSearchParams(entries));
}

test("a preset in the query is the window", () => {
  assert.deepEqual(parseWindow(query("range=1h")), { kind: "live", preset: "1h", span_ms: 3_600_000 });
});

test("a length in the query is a window that slides, by its shortest name", () => {
  assert.deepEqual(parseWindow(query("range=90m")), { kind: "live", preset: "90m", span_ms: 5_400_000 });
  assert.equal(parseWindow(query("range=1d")).preset, "24h");
});

test("nonsense in the query is the default window", () => {
  for (const text of [
    "",
    "range=2x",
    "range=1s",
    "range=50y",
    "range=toString",
    "range=__proto__",
    "paused=1",
    "from=5",
    "from=9&to=3",
    "from=7&to=7",
    "from=a&to=b",
    "from=-5&to=3",
    "from=0&to=3",
    "from=1e400&to=1e401",
    "from=1&to=1e17",
    "from=&to=",
    "from=NaN&to=Infinity",
  ])
    assert.deepEqual(parseWindow(query(text)), liveWindow("15m"), text);
});

test("nonsense beside a range is left out", () => {
  assert.deepEqual(parseWindow(query("range=x&from=1.5&to=2.5&paused=yes")), fixed(1, 3));
});

test("no range is longer than ten years", () => {
  assert.deepEqual(parseWindow(query(`from=1&to=${NOW}`)), fixed(NOW - LONGEST_MS, NOW));
});

test("every window survives the way through the URL", () => {
  for (const preset of [...Object.keys(PRESETS), "90m"]) {
    const live = liveWindow(preset);
    for (const window of [live, held(live, NOW), fixed(NOW - 5, NOW, { preset }), moved(live, NOW, -0.5, 2)])
      assert.deepEqual(through(window), window);
  }
});

test("a live window slides, a fixed one stays", () => {
  assert.deepEqual(bounds(liveWindow("5m"), 1_000_000), { from: 700_000, to: 1_000_000 });
  assert.deepEqual(bounds(fixed(1, 2), 1_000_000), { from: 1, to: 2 });
});

const SHOWN = fixed(0, 100_000, { preset: "1h" });

test("a drag to the left zooms like one to the right", () => {
  assert.deepEqual(zoomed(SHOWN, NOW, 90_000, 30_000), fixed(30_000, 90_000, { preset: "1h" }));
});

test("a drag beyond the charts is cut at their edges", () => {
  assert.deepEqual(zoomed(SHOWN, NOW, -50_000, 150_000), SHOWN);
});

test("a drag of a few pixels widens to the shortest range around it", () => {
  const window = zoomed(SHOWN, NOW, 50_000, 51_000);
  assert.deepEqual([window?.from, window?.to], [50_500 - SHORTEST_MS / 2, 50_500 + SHORTEST_MS / 2]);
});

test("a click is no zoom", () => {
  assert.equal(zoomed(SHOWN, NOW, 50_000, 50_000), null);
});

test("points follow the width in hundreds, within limits", () => {
  assert.equal(pointsFor(120), 300);
  assert.equal(pointsFor(601), 700);
  assert.equal(pointsFor(9000), 1500);
});

test("what live samples continue is fetched seldom, the rest with its step", () => {
  const after = (step_ms: number, polled = false) => refetchAfter(liveWindow("1h"), step_ms, NOW, polled);
  assert.deepEqual(
    [1000, 150_000, 900_000].map((step_ms) => after(step_ms)),
    [240_000, 75_000, 120_000],
  );
});

test("while values are polled, charts of short steps are fetched so that they move on", () => {
  assert.equal(refetchAfter(liveWindow("15m"), 2000, NOW, true), 10_000);
  assert.equal(refetchAfter(liveWindow("24h"), 180_000, NOW, true), 90_000);
});

test("a fixed range is fetched again only while its end may not be stored yet", () => {
  assert.equal(refetchAfter(fixed(NOW - 60_000, NOW - 5000), 1000, NOW, false), 20_000);
  assert.equal(refetchAfter(fixed(NOW - 120_000, NOW - 60_000), 1000, NOW, false), null);
});

test("panning and zooming keep the middle and never pass the present", () => {
  const window = fixed(100_000, 200_000);
  assert.deepEqual(moved(window, 1_000_000, -0.5, 1), fixed(50_000, 150_000));
  assert.deepEqual(moved(window, 1_000_000, 0, 0.5), fixed(125_000, 175_000));
  assert.deepEqual(moved(window, 220_000, 0.5, 1), fixed(120_000, 220_000));
});

test("however often a key is pressed, a window stays within the time there can be", () => {
  for (const [share, factor] of [
    [0, 2],
    [0, 0.5],
    [-0.5, 1],
    [0.5, 1],
  ] as const) {
    let window: Window = liveWindow("1y");
    for (let press = 0; press < 100; press += 1) window = moved(window, NOW, share, factor);
    const { from, to } = bounds(window, NOW);
    assert.ok(from >= NOW - LONGEST_MS && to <= NOW && to - from >= SHORTEST_MS, `${share} ${factor}`);
  }
});
