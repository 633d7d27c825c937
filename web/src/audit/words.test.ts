import assert from "node:assert/strict";
import { test } from "node:test";
import { actionWords, valueWords } from "./words.ts";

test("an operation is told as what was done to what", () => {
  assert.equal(actionWords("PATCH /hosts/{host}"), "changed the host");
  assert.equal(actionWords("PUT /settings/{setting}"), "changed the setting");
});

test("a word stays as it is", () => {
  assert.equal(actionWords("login"), "login");
  assert.equal(actionWords("user add"), "user add");
});

test("an operation that nobody has words for is told by its path", () => {
  assert.equal(actionWords("POST /hosts/{host}/some-deed"), "added hosts, some deed");
});

test("values are told without the signs of their encoding", () => {
  assert.equal(valueWords('"viewer"'), "viewer");
  assert.equal(valueWords('""'), "empty");
  assert.equal(valueWords("7"), "7");
  assert.equal(valueWords("null"), "null");
  assert.match(valueWords("1795359441039"), /2026/);
});
