import assert from "node:assert/strict";
import { test } from "node:test";
import { actionWords } from "./words.ts";

test("an operation is told as what was done to what", () => {
  assert.equal(actionWords("PATCH /hosts/{host}"), "changed hosts");
  assert.equal(actionWords("PUT /settings/{key}"), "set settings");
  assert.equal(actionWords("POST /enrolment-tokens"), "added enrolment tokens");
  assert.equal(actionWords("DELETE /session/second-factor"), "removed session, second factor");
});

test("a word stays as it is", () => {
  assert.equal(actionWords("login"), "login");
  assert.equal(actionWords("user add"), "user add");
});
