import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostIdentity } from "../api/types.gen.ts";
import { identityFacts, identityWarnings } from "./identity.ts";

const NOW = new Date(2026, 10, 21, 12, 5).getTime();
const DAY_MS = 86_400_000;
const identity = (change: Partial<HostIdentity> = {}): HostIdentity => ({
  public_key: "UABC",
  enrolled: NOW - 3 * DAY_MS,
  issued: NOW - DAY_MS,
  expires: NOW + 20 * DAY_MS,
  revoked: null,
  cloned: null,
  suspended: null,
  refused: 0,
  ...change,
});
const names = (change: Partial<HostIdentity>) => identityFacts(identity(change)).map(([name]) => name);

test("an identity is told with its end, and with its revocation instead once it has one", () => {
  assert.deepEqual(names({}), ["Enrolled", "Expires"]);
  assert.deepEqual(names({ revoked: NOW }), ["Enrolled", "Revoked"]);
});

test("refused requests are told when there were any", () => {
  assert.deepEqual(identityFacts(identity({ refused: 1 })).at(-1), ["Refused", "1 request"]);
  assert.deepEqual(identityFacts(identity({ refused: 7 })).at(-1), ["Refused", "7 requests"]);
});

test("nothing is warned of while all is well", () => {
  assert.deepEqual(identityWarnings(identity({ refused: 7 }), NOW), []);
});

test("a cloned identity names the remedy", () => {
  assert.deepEqual(identityWarnings(identity({ cloned: NOW - 60_000 }), NOW), [
    {
      text: "Two agents use this identity in turns, last seen 12:04:00: one machine is a copy of the other.",
      remedy: "On one of them, run",
    },
  ]);
});

test("of a revoked identity nothing else is told", () => {
  const [warning, ...more] = identityWarnings(identity({ revoked: NOW - 60_000, cloned: NOW, expires: NOW - 1 }), NOW);
  assert.equal(warning?.text, "Its identity was revoked, 12:04:00.");
  assert.deepEqual(more, []);
});

test("an identity that nobody renewed in time is told, and one that is shut out until when", () => {
  const texts = identityWarnings(identity({ expires: NOW - 60_000, suspended: NOW + 60_000 }), NOW).map(
    ({ text }) => text,
  );
  assert.deepEqual(texts, ["Its identity expired, 12:04:00.", "It flooded the bus and is shut out until 12:06:00."]);
  assert.deepEqual(identityWarnings(identity({ suspended: NOW - 1 }), NOW), []);
});
