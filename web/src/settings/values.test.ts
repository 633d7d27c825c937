import assert from "node:assert/strict";
import { test } from "node:test";
import type { Setting } from "../api/types.gen.ts";
import { grouped, kindOf, parsed, shown, wordsOf } from "./values.ts";

const setting = (key: string, fallback: unknown): Setting => ({
  key,
  value: fallback,
  default: fallback,
  version: 1,
  description: "",
  secret: false,
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
  assert.deepEqual(wordsOf("flush_after_s"), { label: "Flush after s", unit: "s" });
  assert.deepEqual(
    grouped([setting("raw_days", 7), setting("new_thing", 1)]).map((group) => group.name),
    ["Storage", "More"],
  );
});
