import assert from "node:assert/strict";
import { test } from "node:test";
import { explained } from "./explain.ts";
import { parseSearch } from "./search.ts";
import { summarise } from "./summary.ts";

const host = (id: string, cpu: number, ...tags: string[]) => ({
  id,
  label: "",
  hostname: "",
  tags,
  muted: false,
  standing: "up" as const,
  summary: () => summarise({ cpu: { "": { total: cpu } } }, 1),
});
const hosts = [host("web-1", 70, "prod"), host("web-2", 10, "prod"), host("db-1", 50, "staging")];
const told = (text: string) => explained(parseSearch(text), hosts, ["prod", "staging"]);

test("a tag that no host has is told, with the one that may be meant", () => {
  assert.deepEqual(told("tag:prdo"), ["No host has a tag that begins with “prdo”. Did you mean tag:prod?"]);
  assert.deepEqual(told("tag:zebra"), ["No host has a tag that begins with “zebra”."]);
});

test("a key that is mistyped is told", () => {
  assert.deepEqual(told("tga:prod"), ["“tga:” is in no name or tag. Did you mean tag:prod?"]);
});

test("a state or a name that is mistyped is told", () => {
  assert.deepEqual(told("oflfine"), ["No host fits “oflfine”. Did you mean offline?"]);
  assert.deepEqual(told("wbe-1"), ["No host fits “wbe-1”. Did you mean web-1?"]);
});

test("of terms that each fit some host, the one that is in the way is named", () => {
  assert.deepEqual(told("tag:prod cpu>90"), ["No host fits “cpu>90”."]);
  assert.deepEqual(told("tag:staging web"), ["Without “tag:staging” 2 hosts fit."]);
});

test("what excludes every host is told", () => {
  assert.deepEqual(told("-is:up"), ["“-is:up” excludes every host."]);
});

test("an empty fleet and an empty search need no reason", () => {
  assert.deepEqual(told(""), []);
  assert.deepEqual(explained(parseSearch("web"), [], []), []);
});
