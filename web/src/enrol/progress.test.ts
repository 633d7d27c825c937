import assert from "node:assert/strict";
import { test } from "node:test";
import { token } from "./builders.ts";
import { goodFor, settingsApart, stageOf } from "./progress.ts";

const never = () => false;

test("an open line waits for its machine", () => {
  assert.deepEqual(stageOf(token({}), never), { kind: "waiting" });
});

test("a machine that enrolled waits for its first sample, and then is here", () => {
  const used = token({ state: "used", used: 1, hosts: ["web-3"] });
  assert.deepEqual(stageOf(used, never), { kind: "enrolled", host: "web-3" });
  assert.deepEqual(
    stageOf(used, (host) => host === "web-3"),
    { kind: "here", host: "web-3" },
  );
});

test("a machine that enrolled in time is not turned away by the line's end", () => {
  assert.deepEqual(stageOf(token({ state: "expired", hosts: ["web-3"] }), never), { kind: "enrolled", host: "web-3" });
});

test("a line that nobody can use any more says why", () => {
  assert.deepEqual(stageOf(token({ state: "expired" }), never), { kind: "over", why: "The line has expired." });
  assert.deepEqual(stageOf(token({ state: "withdrawn" }), never), { kind: "over", why: "The line was withdrawn." });
  const gone = stageOf(token({ state: "used", used: 1 }), never);
  assert.deepEqual(gone, { kind: "over", why: "The line was used, and the host that came by it is gone." });
});

test("the time that is left is told in whole minutes, rounded up", () => {
  assert.equal(goodFor(3_600_000), "60 minutes");
  assert.equal(goodFor(3_540_001), "60 minutes");
  assert.equal(goodFor(3_540_000), "59 minutes");
  assert.equal(goodFor(60_001), "2 minutes");
  assert.equal(goodFor(60_000), "less than a minute");
  assert.equal(goodFor(-5), "less than a minute");
});

test("names of settings are told apart from the words around them", () => {
  assert.deepEqual(settingsApart("set SONDE_PUBLIC_URL, or SONDE_TLS."), [
    "set ",
    "SONDE_PUBLIC_URL",
    ", or ",
    "SONDE_TLS",
    ".",
  ]);
  assert.deepEqual(settingsApart("no settings"), ["no settings"]);
});
