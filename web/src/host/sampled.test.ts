import assert from "node:assert/strict";
import { test } from "node:test";
import { familyOf } from "../api/catalogue.ts";
import type { Family, FamilyConfig } from "../api/types.gen.ts";
import { periodWords } from "./sampled.ts";

const words = (name: string, config: FamilyConfig = {}, interval_s = 1) =>
  periodWords(familyOf(name) as Family, config, interval_s).replaceAll("\u00a0", " ");

test("a family is sampled as often as the catalogue says, unless it is told otherwise", () => {
  assert.equal(words("filesystem"), "every 10 s");
  assert.equal(words("filesystem", { interval_s: 60 }), "every 1 min");
});

test("nothing is sampled more often than the host samples at all", () => {
  assert.equal(words("cpu", {}, 5), "every 5 s");
});

test("what is off says so, by default or because somebody wants it", () => {
  assert.equal(words("container"), "off");
  assert.equal(words("container", { enabled: true }), "every 10 s");
  assert.equal(words("cpu", { enabled: false }), "off");
});

test("what is sampled only for those who look says so", () => {
  assert.equal(words("core"), "every 1 s, while somebody looks");
});
