import assert from "node:assert/strict";
import { test } from "node:test";
import { type Order, rowsOf } from "./legend_rows.ts";
import type { LegendLine, Reading } from "./model.ts";

const reading = (values: (number | null)[], metric: string, instance: string, word = ""): Reading => ({
  word,
  values,
  latest: values.at(-1) ?? null,
  highest: values,
  metric,
  instance,
  color: 0,
  pale: false,
});
const line = (instance: string, values: (number | null)[]): LegendLine => ({
  key: instance,
  name: instance,
  idle: false,
  readings: [reading(values, "disk.busy", instance)],
});
const LINES = [line("sda10", [5, 1]), line("sda2", [1, 9]), line("sdb", [null, null])];
const stat = (instance: string, max: number) => ({ metric: "disk.busy", instance, min: 0, avg: 1, max, p95: 2 });
const names = (order: Order, at: number | null = null) =>
  rowsOf(LINES, at, [stat("sda2", 10), stat("sda10", 50)], order).map((row) => row.name);

test("without an order rows stand as the chart has its lines", () => {
  assert.deepEqual(names(null), ["sda10", "sda2", "sdb"]);
});

test("names are ordered as people count", () => {
  assert.deepEqual(names("name"), ["sda2", "sda10", "sdb"]);
});

test("by value the greatest comes first, under the cursor or the latest, and what is not known last", () => {
  assert.deepEqual(names("value"), ["sda2", "sda10", "sdb"]);
  assert.deepEqual(names("value", 0), ["sda10", "sda2", "sdb"]);
});

test("by a statistic the greatest comes first", () => {
  assert.deepEqual(names("max"), ["sda10", "sda2", "sdb"]);
});

test("a line of two directions has two rows with its name", () => {
  const both: LegendLine = {
    key: "eth0",
    name: "eth0",
    idle: false,
    readings: [reading([1], "network.received", "eth0", "received"), reading([2], "network.sent", "eth0", "sent")],
  };
  assert.deepEqual(
    rowsOf([both], null, [], null).map((row) => [row.name, row.key, row.values.value, row.values.max]),
    [
      ["eth0 received", "eth0", 1, null],
      ["eth0 sent", "eth0", 2, null],
    ],
  );
});
