import assert from "node:assert/strict";
import { test } from "node:test";
import { actionWords, deedWords, valueWords } from "./words.ts";

test("an operation is told as what was done to what", () => {
  assert.equal(actionWords("PATCH /hosts/{host}"), "changed the host");
  assert.equal(actionWords("PUT /settings/{setting}"), "changed the setting");
});

test("what was done to many hosts at once is told as what became of each", () => {
  const bulk = (after: unknown) => deedWords({ action: "POST /hosts/bulk", after });
  assert.equal(bulk({ state: "removed" }), "removed the host");
  assert.equal(bulk({ state: "archived" }), "archived the host");
  assert.equal(bulk({ tags: ["prod"] }), "changed the host");
  assert.equal(bulk({ command: "ping", arguments: {} }), "gave an order to");
});

test("a host that keeps its history was archived", () => {
  assert.equal(deedWords({ action: "DELETE /hosts/{host}", after: { state: "archived" } }), "archived the host");
  assert.equal(deedWords({ action: "DELETE /hosts/{host}", after: { state: "removed" } }), "removed the host");
});

test("a moment is told as one, however it is written", () => {
  assert.equal(valueWords('"2026-11-22T18:00:00.123456+00:00"'), valueWords("1795370400123", "muted_until"));
  assert.equal(valueWords('"2026-11-22T18:00:00Z"'), valueWords("1795370400", "silence.ends"));
  assert.equal(valueWords('"2026-11-22"'), "2026-11-22");
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
  assert.equal(valueWords("1099511627776", "warning.raise_at"), "1099511627776");
  assert.equal(valueWords("4", "from"), "4");
  assert.match(valueWords("1795359441039", "expires"), /2026/);
});
