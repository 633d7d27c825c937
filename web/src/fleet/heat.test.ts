import assert from "node:assert/strict";
import { test } from "node:test";
import { short, topOf, warmth } from "./heat.ts";

test("percent end at a hundred, whatever the fleet does", () => {
  assert.equal(topOf("cpu.total", [{ cpu: { "": { total: 3 } } }], 1024), 100);
});

test("what has no end of its own goes up to a round number above the largest", () => {
  assert.equal(topOf("cpu.load1", [{ cpu: { "": { load1: 3 } } }, { cpu: { "": { load1: 12 } } }], 1024), 20);
  assert.equal(topOf("cpu.load1", [], 1024), 1);
  assert.equal(topOf("network.sent", [{ network: { eth0: { sent: 3e6 }, eth1: { sent: 1e6 } } }], 1000), 5e6);
});

test("the end of bytes is round in the unit that they are shown in", () => {
  assert.equal(topOf("network.sent", [{ network: { eth0: { sent: 3e6 } } }], 1024), 5 * 1024 * 1024);
  assert.equal(topOf("network.sent", [], 1024), 100 * 1024);
});

test("warmth stays between nothing and all", () => {
  assert.deepEqual(
    [-1, 0, 50, 100, 200].map((value) => warmth(value, 100)),
    [0, 0, 0.5, 1, 1],
  );
});

test("a cell has room for a few letters", () => {
  assert.equal(short(86.6, "cpu.total", 1024), "87");
  assert.equal(short(3.24, "cpu.load1", 1024), "3.2");
  assert.equal(short(12.4 * 1024 * 1024, "network.sent", 1024), "12M");
  assert.equal(short(512, "network.sent", 1024), "512");
  assert.equal(short(null, "network.sent", 1024), "–");
});
