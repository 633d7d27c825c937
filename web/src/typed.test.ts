import assert from "node:assert/strict";
import { test } from "node:test";
import { numberFault, numberOf } from "./typed.ts";

test("what is typed is a number, or it is none", () => {
  assert.deepEqual([" 7.5 ", "-2", "1e3"].map(numberOf), [7.5, -2, 1000]);
  for (const text of ["", "  ", "seven", "8,5", "Infinity"]) assert.ok(Number.isNaN(numberOf(text)), text);
});

test("a text that is no number is told how it would be one", () => {
  assert.equal(numberFault("12.5"), null);
  assert.equal(numberFault("8,5"), "Write 8.5, with a point instead of the comma.");
  assert.equal(numberFault(" "), "Type a number.");
  assert.match(numberFault("much") ?? "", /“much” is not a number/);
});
