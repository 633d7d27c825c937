import assert from "node:assert/strict";
import { test } from "node:test";
import { createClaims } from "./claims.ts";

test("what is news is one tab's to tell, whoever asks first", () => {
  const claims = createClaims();
  claims.take([]);
  assert.deepEqual(claims.take(["1:critical"]), ["1:critical"]);
  assert.deepEqual(claims.take(["1:critical", "2:warning"]), ["2:warning"]);
  assert.deepEqual(claims.take(["1:critical", "2:warning"]), []);
});

test("what was so when the first tab asked is no news", () => {
  const claims = createClaims();
  assert.deepEqual(claims.take(["1:critical"]), []);
  assert.deepEqual(claims.take(["1:critical", "3:critical"]), ["3:critical"]);
});

test("what comes back after it was away is not told again", () => {
  const claims = createClaims();
  claims.take([]);
  claims.take(["1:critical"]);
  claims.take([]);
  assert.deepEqual(claims.take(["1:critical"]), []);
});

test("however many there are, none is told twice", () => {
  const claims = createClaims(2000);
  claims.take([]);
  const keys = Array.from({ length: 5000 }, (_, at) => `${at}:critical`);
  assert.equal(claims.take(keys).length, 5000);
  assert.deepEqual(claims.take(keys), []);
});

test("it does not remember without end what is over", () => {
  const claims = createClaims(2000);
  claims.take([]);
  for (let at = 0; at < 3000; at += 1) claims.take([`${at}:warning`]);
  assert.deepEqual(claims.take(["2999:warning"]), []);
  assert.deepEqual(claims.take(["0:warning"]), ["0:warning"]);
});
