import assert from "node:assert/strict";
import { test } from "node:test";
import { completions, MOST } from "./completions.ts";

const vocabulary = {
  tags: new Map([
    ["prod", 2],
    ["pre", 5],
    ["web", 1],
  ]),
  hosts: [{ name: "web-1" }, { name: "proxy-1" }],
};
const offered = (text: string) => completions(text, vocabulary).map((one) => one.text);

test("an empty search offers what a term can begin with", () => {
  assert.ok(offered("").includes("tag:"));
  assert.ok(offered("").includes("cpu>"));
});

test("behind a key the values are offered, those of most hosts first", () => {
  assert.deepEqual(offered("tag:p"), ["tag:pre", "tag:prod"]);
  assert.deepEqual(offered("is:off"), ["is:offline"]);
});

test("a word that begins something offers keys, tags and hosts", () => {
  assert.deepEqual(offered("pro"), ["tag:prod", "proxy-1"]);
  assert.deepEqual(offered("cp"), ["cpu>"]);
});

test("what stands before the last word stays, and so does a minus", () => {
  assert.deepEqual(offered("cpu>80 -tag:we"), ["cpu>80 -tag:web"]);
});

test("nothing is offered for a word that is complete or has not begun", () => {
  assert.deepEqual(offered("tag:web"), []);
  assert.deepEqual(offered("web "), []);
});

test("a large fleet does not offer all of its hosts", () => {
  const hosts = Array.from({ length: 5000 }, (_, at) => ({ name: `node-${at}` }));
  assert.equal(completions("node", { ...vocabulary, hosts }).length, MOST);
});
