import assert from "node:assert/strict";
import { test } from "node:test";
import type { Setting } from "../api/types.gen.ts";
import { boundsOf, faultOf, grouped, kindOf, labelled, parsed, shown, wordsOf } from "./values.ts";

const setting = (key: string, fallback: unknown): Setting => ({
  key,
  value: fallback,
  default: fallback,
  version: 1,
  description: "",
  secret: false,
  invalid: "",
  set: false,
});

test("the default tells the kind of field", () => {
  assert.deepEqual(
    [7, true, "x", [1]].map((value) => kindOf(setting("k", value))),
    ["number", "boolean", "text", "json"],
  );
});

test("a value survives the way through its field", () => {
  for (const [value, kind] of [
    [7.5, "number"],
    [false, "boolean"],
    ["a b", "text"],
    [["a"], "json"],
  ] as const)
    assert.deepEqual(parsed(kind, shown(kind, value)), value);
});

test("what is no number goes as typed, for the API to refuse", () => {
  assert.equal(parsed("number", "seven"), "seven");
  assert.equal(parsed("number", " "), "");
  assert.equal(parsed("json", "[1,"), "[1,");
});

test("a setting nobody has words for is still shown", () => {
  assert.deepEqual(wordsOf("flush_after_s"), { group: "More", label: "Flush after s", unit: "s" });
  assert.deepEqual(
    grouped([setting("raw_days", 7), setting("new_thing", 1)]).map((group) => group.name),
    ["Storage", "More"],
  );
});

test("what may be typed and the default are said beforehand", () => {
  const plain = (one: Setting) => boundsOf(one).replaceAll("\u00a0", " ");
  assert.equal(plain(setting("raw_days", 7)), "From 1 to 3,650 days. Default: 7 days.");
  assert.equal(plain(setting("dashboard_url", "")), "Default: empty.");
  assert.equal(plain({ ...setting("heartbeat_url", ""), secret: true }), "");
  assert.equal(plain(setting("new_thing", true)), "Default: on.");
});

test("a number out of its range is told the range", () => {
  const raw = setting("raw_days", 7);
  assert.equal(faultOf(raw, "3650"), null);
  assert.equal(faultOf(raw, "3651")?.replaceAll("\u00a0", " "), "Type a number from 1 to 3,650 days.");
  assert.equal(faultOf(raw, "7.6"), "Type a whole number, such as 8.");
  assert.equal(faultOf(setting("disk_free_percent", 10), "7.5"), null);
});

test("only numbers are judged before the gateway is asked", () => {
  assert.match(faultOf(setting("raw_days", 7), "week") ?? "", /is not a number/);
  assert.equal(faultOf(setting("dashboard_url", ""), "no address"), null);
});

test("the gateway's keys are told by their labels", () => {
  assert.equal(
    labelled("must not exceed minute_days, which is 30; raise minute_days to at least 40"),
    "must not exceed “Minute values kept”, which is 30; raise “Minute values kept” to at least 40",
  );
  assert.equal(labelled("unknown_key stays"), "unknown_key stays");
});
