import assert from "node:assert/strict";
import { test } from "node:test";
import { grouped, parseGrouping, tagKeys } from "./grouping.ts";

const host = (id: string, ...tags: string[]) => ({ id, tags });
const shape = (text: string | null, ...hosts: ReturnType<typeof host>[]) =>
  grouped(hosts, parseGrouping(text)).map(({ name, hosts: some }) => [name, some.map(({ id }) => id).join("")]);

test("without grouping all hosts are one group", () => {
  assert.deepEqual(shape(null, host("b"), host("a")), [["", "ba"]]);
  assert.deepEqual(shape("colour"), []);
});

test("a host stands under each of its tags, and one without tags comes last", () => {
  assert.deepEqual(shape("tag", host("a", "web", "prod"), host("b"), host("c", "prod")), [
    ["prod", "ac"],
    ["web", "a"],
    ["", "b"],
  ]);
});

test("hosts keep their order within a group", () => {
  assert.deepEqual(shape("tag", host("z", "web"), host("a", "web")), [["web", "za"]]);
});

test("tags of one key are groups of their own", () => {
  const hosts = [host("a", "region:eu", "web"), host("b", "region=us"), host("c", "regional")];
  assert.deepEqual(shape("tag:region", ...hosts), [
    ["eu", "a"],
    ["us", "b"],
    ["", "c"],
  ]);
});

test("keys are what stands before a colon or an equals sign", () => {
  assert.deepEqual(tagKeys(["region:eu", "region:us", "role=db", "web", ":x", "y:"]), ["region", "role"]);
});
