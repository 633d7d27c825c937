import assert from "node:assert/strict";
import { test } from "node:test";
import { pinched, stretched } from "./pinch.ts";
import { SHORTEST_MS } from "./window.ts";

const HOUR_MS = 3_600_000;
const RANGE = { from: 0, to: HOUR_MS };
const LATER = 10 * HOUR_MS;

test("fingers that part show less, and what was between them stays there", () => {
  assert.deepEqual(stretched(RANGE, 400, [100, 200], [50, 250], LATER), {
    from: HOUR_MS / 4 + HOUR_MS / 8 - (HOUR_MS / 2) * (150 / 400),
    to: HOUR_MS / 4 + HOUR_MS / 8 + (HOUR_MS / 2) * (250 / 400),
  });
});

test("fingers that come together show more", () => {
  const { from, to } = stretched(RANGE, 400, [100, 300], [150, 250], LATER);
  assert.equal(to - from, 2 * HOUR_MS);
});

test("fingers that move together move the range", () => {
  assert.deepEqual(stretched(RANGE, 400, [100, 200], [200, 300], LATER), { from: -HOUR_MS / 4, to: (HOUR_MS * 3) / 4 });
});

test("the future is not moved into", () => {
  assert.deepEqual(stretched(RANGE, 400, [200, 300], [100, 200], HOUR_MS), RANGE);
});

test("fingers on one place do not make the range endless or empty", () => {
  const wide = stretched(RANGE, 400, [100, 300], [200, 200], LATER);
  assert.ok(wide.to - wide.from < 10 * HOUR_MS);
  const narrow = stretched({ from: 0, to: SHORTEST_MS }, 400, [100, 130], [0, 400], LATER);
  assert.equal(narrow.to - narrow.from, SHORTEST_MS);
});

test("fingers that go on moving stretch what was there when they touched it, not what they made of it", () => {
  const touched = { from: 0, to: 1_000_000 };
  const wide = pinched(null, touched, 1000, [400, 600], [300, 700], 2_000_000);
  const back = pinched(wide, wide.shown, 1000, [400, 600], [400, 600], 2_000_000);
  assert.deepEqual(back, { first: touched, shown: touched });
});
