import assert from "node:assert/strict";
import { test } from "node:test";
import { arc, pointAt, tick } from "./arc.ts";

const middle = { x: 0, y: 0 };

test("half of the arc is straight above the middle", () => {
  assert.deepEqual(pointAt(0.5, 10, middle), { x: 0, y: -10 });
});

test("both ends are at the same height below the middle", () => {
  assert.equal(pointAt(0, 10, middle).y, 5);
  assert.equal(pointAt(1, 10, middle).y, 5);
});

test("shares beyond the ends are cut", () => {
  assert.deepEqual(pointAt(1.7, 10, middle), pointAt(1, 10, middle));
});

test("nothing is no path, more than 180 degrees goes the long way", () => {
  assert.equal(arc(0, 10, middle), "");
  assert.match(arc(0.7, 10, middle), / 0 0 1 /);
  assert.match(arc(0.8, 10, middle), / 0 1 1 /);
});

test("a tick crosses the arc", () => {
  assert.equal(tick(0.5, 8, 12, middle), "M0 -8L0 -12");
});
