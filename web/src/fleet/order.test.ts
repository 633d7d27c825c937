import assert from "node:assert/strict";
import { test } from "node:test";
import { byName, ordered, parseSort, type Sort } from "./order.ts";
import { type Standing, summarise } from "./summary.ts";

const host = (id: string, lastStanding: Standing, cpu: number | null = null, label = "") => ({
  id,
  name: label || id,
  lastStanding,
  summary: () => summarise({ cpu: { "": { total: cpu } } }, 1),
});
const ids = (hosts: readonly { id: string }[]) => hosts.map((one) => one.id);
const sorted = (hosts: ReturnType<typeof host>[], sort: Sort) => ids(ordered(byName(hosts), sort));

test("the worst come first, names decide within a state", () => {
  const hosts = [
    host("d", "up"),
    host("c", "late"),
    host("b", "up"),
    host("w", "warning"),
    host("x", "critical"),
    host("o", "offline"),
  ];
  assert.deepEqual(sorted(hosts, "worst"), ["x", "o", "w", "c", "b", "d"]);
});

test("numbers in names count as numbers", () => {
  assert.deepEqual(sorted([host("web-10", "up"), host("web-9", "up")], "name"), ["web-9", "web-10"]);
});

test("a host stands where its label is looked for", () => {
  const hosts = [host("a", "up", null, "zebra"), host("b", "up"), host("c", "up", null, "b")];
  assert.deepEqual(sorted(hosts, "name"), ["b", "c", "a"]);
});

test("the busiest come first and the unknown last", () => {
  assert.deepEqual(sorted([host("a", "up", null), host("b", "up", 5), host("c", "up", 50)], "cpu"), ["c", "b", "a"]);
});

test("of equally busy hosts, and of those nobody knows, names decide", () => {
  const hosts = [host("d", "up"), host("b", "up", 5), host("c", "up"), host("a", "up", 5)];
  assert.deepEqual(sorted(hosts, "cpu"), ["a", "b", "c", "d"]);
});

test("an order nobody knows is worst first", () => {
  assert.equal(parseSort("toString"), "worst");
  assert.equal(parseSort(null), "worst");
  assert.equal(parseSort("cpu"), "cpu");
});
