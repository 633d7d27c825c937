import assert from "node:assert/strict";
import { test } from "node:test";
import { ordered, parseSort } from "./order.ts";
import { type Standing, summarise } from "./summary.ts";

const host = (id: string, standing: Standing, cpu: number | null = null) => ({
  id,
  standing,
  summary: () => summarise({ cpu: { "": { total: cpu } } }, 1),
});
const ids = (hosts: { id: string }[]) => hosts.map((one) => one.id);

test("the worst come first, names decide within a state", () => {
  const hosts = [
    host("d", "up"),
    host("c", "late"),
    host("b", "up"),
    host("w", "warning"),
    host("x", "critical"),
    host("o", "offline"),
  ];
  assert.deepEqual(ids(ordered(hosts, "worst")), ["x", "o", "w", "c", "b", "d"]);
});

test("numbers in names count as numbers", () => {
  assert.deepEqual(ids(ordered([host("web-10", "up"), host("web-9", "up")], "name")), ["web-9", "web-10"]);
});

test("the busiest come first and the unknown last", () => {
  assert.deepEqual(ids(ordered([host("a", "up", null), host("b", "up", 5), host("c", "up", 50)], "cpu")), [
    "c",
    "b",
    "a",
  ]);
});

test("an order nobody knows is worst first", () => {
  assert.equal(parseSort("toString"), "worst");
  assert.equal(parseSort(null), "worst");
  assert.equal(parseSort("cpu"), "cpu");
});
