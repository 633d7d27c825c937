import assert from "node:assert/strict";
import { test } from "node:test";
import { neighboursOf } from "./neighbours.ts";

test("hosts are stepped through in a circle", () => {
  assert.deepEqual(neighboursOf(["a", "b", "c"], "b"), { previous: "a", next: "c" });
  assert.deepEqual(neighboursOf(["a", "b", "c"], "c"), { previous: "b", next: "a" });
  assert.deepEqual(neighboursOf(["a", "b", "c"], "a"), { previous: "c", next: "b" });
});

test("a host that is alone, or not in the fleet, has no neighbours", () => {
  assert.deepEqual(neighboursOf(["a"], "a"), { previous: null, next: null });
  assert.deepEqual(neighboursOf(["a", "b"], "z"), { previous: null, next: null });
});
