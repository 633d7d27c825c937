import assert from "node:assert/strict";
import { test } from "node:test";
import {
  byName,
  ordered,
  parseSorts,
  renamed,
  sortText,
  toggled,
  turnedRound,
  withoutSort,
  withSort,
} from "./order.ts";
import type { Standing } from "./summary.ts";

const host = (id: string, lastStanding: Standing, cpu: number | null = null, label = "", near = 0) => ({
  id,
  name: label || id,
  lastStanding,
  near,
  sortValue: (by: string) => (by === "cpu.total" ? cpu : by === "name" ? label || id : null),
});
const ids = (hosts: readonly { id: string }[]) => hosts.map((one) => one.id);
const sorted = (hosts: ReturnType<typeof host>[], sort: string) => ids(ordered(byName(hosts), parseSorts(sort)));

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

test("of hosts that are alike, the nearest to an alert comes first", () => {
  const hosts = [host("a", "up", 1, "", 0.6), host("b", "up", 1, "", 0.9), host("w", "warning", 1, "", 0.5)];
  assert.deepEqual(sorted(hosts, "worst"), ["w", "b", "a"]);
});

test("how near to an alert a host was before it went away does not count", () => {
  assert.deepEqual(sorted([host("b", "offline", 1, "", 0.9), host("a", "offline")], "worst"), ["a", "b"]);
});

test("numbers in names count as numbers", () => {
  assert.deepEqual(sorted([host("web-10", "up"), host("web-9", "up")], "name"), ["web-9", "web-10"]);
});

test("a host stands where its label is looked for", () => {
  const hosts = [host("a", "up", null, "zebra"), host("b", "up"), host("c", "up", null, "b")];
  assert.deepEqual(sorted(hosts, "name"), ["b", "c", "a"]);
});

test("the unknown come last, whichever way round", () => {
  const hosts = [host("a", "up", null), host("b", "up", 5), host("c", "up", 50)];
  assert.deepEqual(sorted(hosts, "-cpu.total"), ["c", "b", "a"]);
  assert.deepEqual(sorted(hosts, "cpu.total"), ["b", "c", "a"]);
});

test("what a host measured before it went away does not count", () => {
  const hosts = [host("a", "offline", 95), host("b", "archived", 99), host("c", "late", 5)];
  assert.deepEqual(sorted(hosts, "-cpu.total"), ["c", "a", "b"]);
});

test("of equally busy hosts, and of those nobody knows, names decide", () => {
  const hosts = [host("d", "up"), host("b", "up", 5), host("c", "up"), host("a", "up", 5)];
  assert.deepEqual(sorted(hosts, "-cpu.total"), ["a", "b", "c", "d"]);
});

test("what is equal by the first is ordered by the second", () => {
  const hosts = [host("a", "up", 5), host("b", "up", 7), host("c", "up", 5)];
  assert.deepEqual(sorted(hosts, "cpu.total,-name"), ["c", "a", "b"]);
});

test("an order nobody knows is worst first", () => {
  for (const text of ["toString", null, "", "cpu.nothing"]) assert.equal(sortText(parseSorts(text)), null);
});

test("orders of older addresses are understood", () => {
  assert.equal(sortText(parseSorts("cpu")), "-cpu.total");
});

test("a column asked for again turns round, and then lets go", () => {
  const once = toggled(parseSorts(null), "cpu.total", false);
  assert.equal(sortText(once), "-cpu.total");
  const twice = toggled(once, "cpu.total", false);
  assert.equal(sortText(twice), "cpu.total");
  assert.equal(sortText(toggled(twice, "cpu.total", false)), null);
});

test("a further column comes after the others", () => {
  const two = toggled(parseSorts("-cpu.total"), "name", true);
  assert.equal(sortText(two), "-cpu.total,name");
  assert.equal(sortText(toggled(two, "cpu.total", true)), "cpu.total,name");
  assert.equal(sortText(toggled(parseSorts("cpu.total,name"), "cpu.total", true)), "name");
});

test("an order gets one thing more, turns it round and loses it again, and is worst first without any", () => {
  const one = withSort(parseSorts(null), "name");
  assert.equal(sortText(one), "name");
  const two = withSort(one, "cpu.total");
  assert.equal(sortText(two), "name,-cpu.total");
  assert.equal(sortText(turnedRound(two, "name")), "-name,-cpu.total");
  assert.equal(sortText(withoutSort(two, "name")), "-cpu.total");
  assert.equal(sortText(withoutSort(one, "name")), null);
});

test("a host that comes, goes or is called otherwise is put in its place without sorting the others", () => {
  const before = byName(Array.from({ length: 30 }, (_, at) => host(`web-${at}`, "up")));
  const now = [...before.filter(({ id }) => id !== "web-3"), host("web-30", "up"), host("api", "up")];
  assert.deepEqual(ids(renamed(before, now)), ids(byName(now)));
  const labelled = before.map((one) => (one.id === "web-7" ? host("web-7", "up", null, "zebra") : one));
  assert.deepEqual(ids(renamed(before, labelled)), ids(byName(labelled)));
  assert.equal(renamed(before, [...before]), before);
});
