import assert from "node:assert/strict";
import { test } from "node:test";
import { lengthOf, lengthText } from "./length.ts";

test("lengths are counted in seconds to years", () => {
  assert.equal(lengthOf("45s"), 45_000);
  assert.equal(lengthOf("1h30m"), 5_400_000);
  assert.equal(lengthOf("1.5d"), 36 * 3_600_000);
  assert.equal(lengthOf("2 weeks"), 14 * 24 * 3_600_000);
});

test("other words are no lengths", () => {
  for (const text of ["5 apples", "5 sausages", "5", "h", "", "-5m", "5m 3"]) assert.equal(lengthOf(text), null, text);
});

test("a length is written as short as it can be, and read back as it was", () => {
  assert.equal(lengthText(5_400_000), "90m");
  assert.equal(lengthText(2 * 86_400_000), "2d");
  for (const ms of [1000, 61_000, 3_600_000, 86_400_000 * 365, 86_400_000 * 14])
    assert.equal(lengthOf(lengthText(ms)), ms);
});
