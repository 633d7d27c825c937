import assert from "node:assert/strict";
import { test } from "node:test";
import { among, MOST_LINES, parseAsked } from "./asked.ts";

const asked = (text: string) => parseAsked(new URLSearchParams(text));

test("without hosts those are shown that lead in the use of their CPUs", () => {
  const { hosts, metrics, top, by, layout, behind } = asked("");
  assert.deepEqual([hosts, metrics, top, by, layout, behind], [[], ["cpu.total"], 5, "avg", "over", ""]);
});

test("what makes no sense is passed over", () => {
  const found = asked(
    "hosts=web-1,,web-1,%2Fetc&metrics=cpu.total,no.such&top=1000&by=colour&layout=round&behind=year",
  );
  assert.deepEqual(found.hosts, ["web-1"]);
  assert.deepEqual(found.metrics, ["cpu.total"]);
  assert.deepEqual([found.top, found.by, found.layout, found.behind], [5, "avg", "over", ""]);
});

test("of more hosts than can be told apart the rest is counted", () => {
  const names = Array.from({ length: 15 }, (_, at) => `h-${at}`);
  const found = asked(`hosts=${names.join()}`);
  assert.equal(found.hosts.length, MOST_LINES);
  assert.equal(found.tooMany, 15 - MOST_LINES);
});

test("an instance may have a comma in its name", () => {
  assert.deepEqual(asked("of=/a,b&of=/data").instances, ["/a,b", "/data"]);
});

test("only as many lead as can be chosen on the page", () => {
  assert.deepEqual(
    ["8", "7", "0", "five"].map((top) => asked(`top=${top}`).top),
    [8, 5, 5, 5],
  );
});

test("no more instances are asked for than lines can be told apart, and none twice", () => {
  const many = Array.from({ length: 20 }, (_, at) => `of=/disk-${at}&of=/disk-${at}`).join("&");
  assert.equal(asked(many).instances.length, MOST_LINES);
});

test("hosts that are not in the fleet are not asked for", () => {
  assert.deepEqual(among(asked("hosts=web-1,removed,db-1"), ["db-1", "web-1"]).hosts, ["web-1", "db-1"]);
});
