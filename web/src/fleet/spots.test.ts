import assert from "node:assert/strict";
import { test } from "node:test";
import { between, indexOf, step, withAll } from "./spots.ts";

const groups = [
  { name: "db", hosts: [{ id: "a" }, { id: "b" }] },
  { name: "web", hosts: [{ id: "b" }, { id: "c" }] },
];

test("one step on is the next host, also across groups", () => {
  assert.deepEqual(step(groups, { group: "db", id: "a" }, 1), { group: "db", id: "b" });
  assert.deepEqual(step(groups, { group: "db", id: "b" }, 1), { group: "web", id: "b" });
  assert.deepEqual(step(groups, { group: "web", id: "b" }, -1), { group: "db", id: "b" });
});

test("at either end a step stays where it is", () => {
  assert.deepEqual(step(groups, { group: "web", id: "c" }, 1), { group: "web", id: "c" });
  assert.deepEqual(step(groups, { group: "db", id: "a" }, -1), { group: "db", id: "a" });
});

test("from a host that is not shown any more the way begins at the first", () => {
  assert.deepEqual(step(groups, { group: "db", id: "gone" }, 1), { group: "db", id: "a" });
  assert.equal(step([], { group: "db", id: "gone" }, 1), null);
});

test("a host in two groups has two places", () => {
  assert.deepEqual(indexOf(groups, { group: "web", id: "b" }), [1, 0]);
  assert.equal(indexOf(groups, { group: "web", id: "a" }), null);
});

test("a range holds both of its ends, whichever comes first", () => {
  assert.deepEqual(between(["a", "b", "c", "d"], "c", "a"), ["a", "b", "c"]);
  assert.deepEqual(between(["a", "b"], "a", "gone"), []);
});

test("several are selected or let go at once", () => {
  assert.deepEqual([...withAll(new Set(["a", "b"]), ["b", "c"], false)], ["a"]);
  assert.deepEqual([...withAll(new Set(["a"]), ["b"], true)], ["a", "b"]);
});
