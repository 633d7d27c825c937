import assert from "node:assert/strict";
import { test } from "node:test";
import { removalWords } from "./removals.ts";

const removal = { name: "web-3", asked: 0, parts: 0, done: 0, rows: 0 };

test("a removal that has not begun says so", () => {
  assert.equal(removalWords(removal), "Deleting the history of web-3: about to begin");
});

test("a removal under way tells parts and rows", () => {
  const words = removalWords({ ...removal, parts: 12, done: 4, rows: 1204 });
  assert.match(words, /^Deleting the history of web-3: 4 of 12 parts, 1[^\d]?204 rows so far$/);
  assert.match(removalWords({ ...removal, parts: 1 }), /: 0 of 1 part, 0 rows so far$/);
});
