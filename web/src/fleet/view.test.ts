import assert from "node:assert/strict";
import { test } from "node:test";
import { COLUMNS, columnsText, metricsShown, parseColumns, parseHeat, parseView, withColumn } from "./view.ts";

test("a view nobody knows is cards", () => {
  assert.equal(parseView("toString"), "cards");
  assert.equal(parseView("heat"), "heat");
});

test("an address that asks for no column has the usual ones, and needs no words for them", () => {
  assert.equal(columnsText(parseColumns(null)), null);
  assert.equal(columnsText(parseColumns("nothing,toString")), null);
});

test("columns stand in the order of the address, each once", () => {
  assert.deepEqual(parseColumns("disk.busy,tags,disk.busy"), ["disk.busy", "tags"]);
});

test("a column that is added comes where the choice has it", () => {
  assert.deepEqual(withColumn(["tags", "disk.busy"], "cpu.total"), ["tags", "cpu.total", "disk.busy"]);
  assert.deepEqual(withColumn(["tags"], COLUMNS.at(-1) as string), ["tags", COLUMNS.at(-1)]);
});

test("a column that is there already is taken away, but not the last one", () => {
  assert.deepEqual(withColumn(["tags", "cpu.total"], "tags"), ["cpu.total"]);
  assert.deepEqual(withColumn(["tags"], "tags"), ["tags"]);
});

test("a view wants the metrics that it shows", () => {
  assert.deepEqual(metricsShown("table", ["tags", "disk.busy"], "cpu.total"), ["disk.busy"]);
  assert.deepEqual(metricsShown("heat", ["disk.busy"], parseHeat("gpu.temperature")), ["gpu.temperature"]);
  assert.deepEqual(metricsShown("cards", ["disk.busy"], parseHeat(null)), []);
});
