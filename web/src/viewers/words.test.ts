import assert from "node:assert/strict";
import { test } from "node:test";
import { watchedWords } from "./words.ts";

const watched = { hosts: null, tags: [], metrics: null, interval: 1, detail: [] };

test("what is looked at is told with as few words as it takes", () => {
  assert.equal(watchedWords(watched), "all hosts");
  assert.equal(watchedWords({ ...watched, hosts: 1 }), "1 host");
  assert.equal(watchedWords({ ...watched, tags: ["prod"] }), "hosts tagged prod");
  assert.equal(watchedWords({ ...watched, hosts: 3, detail: ["a", "b"] }), "3 hosts; a, b in detail");
});

test("of many names the first are told", () => {
  assert.equal(watchedWords({ ...watched, detail: ["a", "b", "c", "d"] }), "all hosts; a, b and 2 more in detail");
});
