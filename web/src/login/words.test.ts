import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../api/client.ts";
import { failureIn, secretIn } from "./arrival.ts";
import { lockedUntil, passwordFault, repeatFault, wantsCode } from "./words.ts";

test("a link's secret is behind the mark, and nothing else is one", () => {
  assert.equal(secretIn("#link=a-b_c"), "a-b_c");
  assert.equal(secretIn("#link=a%2Fb"), "a/b");
  for (const hash of ["", "#", "#link=", "#main", "#link=%", "#xlink=a"]) assert.equal(secretIn(hash), null, hash);
});

test("why single sign-on did not work is told, but not at any length", () => {
  assert.equal(failureIn("#failed=it%20took%20too%20long"), "it took too long");
  assert.equal(failureIn(`#failed=${"x".repeat(1000)}`)?.length, 300);
  for (const hash of ["", "#failed=", "#failed=%", "#link=a"]) assert.equal(failureIn(hash), null, hash);
});

test("a code is asked for only when the gateway asks for it", () => {
  assert.ok(wantsCode(new Failure(401, "", { type: "/problems/second-factor" })));
  assert.ok(!wantsCode(new Failure(401, "", { type: "/problems/login-failed" })));
  assert.ok(!wantsCode(null));
});

test("who is locked out is told until when", () => {
  assert.equal(lockedUntil(new Failure(429, "", { retry_s: 30 }), 1000), 31_000);
  assert.equal(lockedUntil(new Failure(429, ""), 1000), null);
  assert.equal(lockedUntil(new Failure(503, "", { retry_s: 30 }), 1000), null);
});

test("a password is measured in characters, not in what they are stored as", () => {
  assert.equal(passwordFault("correct horse"), null);
  assert.equal(passwordFault("short"), "Too short: 5 of at least 12 characters.");
  assert.equal(passwordFault("😀".repeat(11)), "Too short: 11 of at least 12 characters.");
  assert.equal(passwordFault("😀".repeat(12)), null);
  assert.equal(passwordFault(""), "Type a password.");
  assert.equal(passwordFault("x".repeat(257)), "Too long: 257 characters, at most 256.");
});

test("a repetition must be the same to the letter", () => {
  assert.equal(repeatFault("correct horse", "correct horse"), null);
  assert.equal(repeatFault("correct horse", "correct Horse"), "This differs from the one above.");
});
