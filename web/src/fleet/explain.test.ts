import assert from "node:assert/strict";
import { test } from "node:test";
import { explained } from "./explain.ts";
import { parseSearch, wordsOf } from "./search.ts";
import { summarise } from "./summary.ts";

const host = (id: string, cpu: number, ...tags: string[]) => ({
  id,
  label: "",
  words: wordsOf([id, ...tags]),
  tags,
  muted: false,
  standing: "up" as const,
  summary: () => summarise({ cpu: { "": { total: cpu } } }, 1),
});
const hosts = [host("web-1", 70, "prod"), host("web-2", 10, "prod"), host("db-1", 50, "staging")];
const told = (text: string) => explained(parseSearch(text), hosts, ["prod", "staging"]);

test("a tag that no host has is told, with the search that may be meant", () => {
  assert.deepEqual(told("web tag:prdo"), [
    { words: "No host has a tag that begins with “prdo”.", instead: "web tag:prod" },
  ]);
  assert.deepEqual(told("tag:zebra"), [{ words: "No host has a tag that begins with “zebra”.", instead: null }]);
});

test("a key that is mistyped is told", () => {
  assert.deepEqual(told("tga:prod"), [{ words: "“tga:” is in no name or tag.", instead: "tag:prod" }]);
});

test("a state or a name that is mistyped is told", () => {
  assert.deepEqual(told("oflfine"), [{ words: "No host fits “oflfine”.", instead: "offline" }]);
  assert.deepEqual(told("wbe-1"), [{ words: "No host fits “wbe-1”.", instead: "web-1" }]);
});

test("a comparison that no host fits has nothing instead", () => {
  assert.deepEqual(told("tag:prod cpu>90"), [{ words: "No host fits “cpu>90”.", instead: null }]);
});

test("of terms that each fit some host, the one that is in the way is named, and left out", () => {
  assert.deepEqual(told("tag:staging web"), [{ words: "Without “tag:staging” 2 hosts fit.", instead: "web" }]);
});

test("terms of which no two fit the same host have none that is in the way", () => {
  assert.deepEqual(told("web-1 web-2 db-1"), [
    { words: "Each term fits some host, but no host fits all of them.", instead: null },
  ]);
});

test("under a filter only the hosts that pass it count", () => {
  const search = parseSearch("tag:prod web");
  assert.deepEqual(explained(search, hosts.slice(2), ["prod"], " that is offline"), [
    { words: "No host that is offline has a tag that begins with “prod”.", instead: null },
    { words: "No host that is offline fits “web”.", instead: null },
  ]);
});

test("what excludes every host is told", () => {
  assert.deepEqual(told("-is:up"), [{ words: "“-is:up” excludes every host.", instead: null }]);
});

test("an empty fleet and an empty search need no reason", () => {
  assert.deepEqual(told(""), []);
  assert.deepEqual(explained(parseSearch("web"), [], []), []);
});
