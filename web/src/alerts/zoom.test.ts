import assert from "node:assert/strict";
import { test } from "node:test";
import { windowFrom, withWhole } from "./zoom.ts";

const [whole, later, part] = [windowFrom(0, 1000), windowFrom(0, 2000), windowFrom(100, 200)];

test("what is looked at stays while its incident goes on, and the way back leads to all of it", () => {
  const deeper = { shown: windowFrom(120, 130), before: [whole, part] };
  assert.deepEqual(withWhole(deeper, later, true), { shown: deeper.shown, before: [later, part] });
});

test("all of an incident that goes on is shown to its end", () => {
  assert.deepEqual(withWhole({ shown: whole, before: [] }, later, true), { shown: later, before: [] });
});

test("a zoom ends with what it was of", () => {
  assert.deepEqual(withWhole({ shown: part, before: [whole] }, later, false), { shown: later, before: [] });
});
