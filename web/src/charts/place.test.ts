import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf, samePlace } from "./place.ts";

const BOX = { left: 128, top: 16, width: 1200, height: 320 };
const place = (from: number, high: number) => placeOf(BOX, 2, from, from + 1000, { low: 0, high });

test("a place is told in pixels of the style sheet, however dense the screen is", () => {
  const { left, top, width, height } = place(0, 100);
  assert.deepEqual([left, top, width, height], [64, 8, 600, 160]);
});

test("a place is another one once its times or values are", () => {
  assert.ok(samePlace(place(0, 100), place(0, 100)));
  assert.ok(!samePlace(place(0, 100), place(1, 100)));
  assert.ok(!samePlace(place(0, 100), place(0, 200)));
  assert.ok(!samePlace(null, place(0, 100)));
});
