import assert from "node:assert/strict";
import { test } from "node:test";
import { differences } from "./diff.ts";

test("only what differs is told, by its path", () => {
  const before = { name: "cpu", critical: { raise_at: 90, clear_at: 80 }, tags: ["a", "b"] };
  const after = { name: "cpu", critical: { raise_at: 95, clear_at: 80 }, tags: ["a", "c"] };
  assert.deepEqual(differences(before, after), [
    { path: "critical.raise_at", before: "90", after: "95" },
    { path: "tags[1]", before: '"b"', after: '"c"' },
  ]);
});

test("what was made or removed is told whole", () => {
  assert.deepEqual(differences(null, { role: "viewer" }), [{ path: "role", before: undefined, after: '"viewer"' }]);
  assert.deepEqual(differences({ role: "viewer" }, null), [{ path: "role", before: '"viewer"', after: undefined }]);
});

test("a value without parts has no path", () => {
  assert.deepEqual(differences(7, 8), [{ path: "", before: "7", after: "8" }]);
});

test("nothing is not the same as empty or null within", () => {
  assert.deepEqual(differences({ note: null, tags: [] }, { note: "", tags: {} }), [
    { path: "note", before: "null", after: '""' },
    { path: "tags", before: "[]", after: "{}" },
  ]);
});

test("a change that changed nothing has no differences", () => {
  assert.deepEqual(differences({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), []);
  assert.deepEqual(differences(null, null), []);
});
