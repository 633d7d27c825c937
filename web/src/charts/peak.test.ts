import assert from "node:assert/strict";
import { test } from "node:test";
import type { LegendLine } from "./model.ts";
import { peakOf } from "./peak.ts";
import type { ChartSpec } from "./spec.ts";

const SPEC: ChartSpec = {
  id: "cpu",
  title: "CPU",
  meaning: "",
  family: "cpu",
  kind: "stack",
  legend: "part",
  parts: [{ metric: "cpu.user" }],
  total: "cpu.total",
  floor: 0,
};
const line = (metric: string, values: (number | null)[], instance = ""): LegendLine => ({
  key: instance || metric,
  name: metric,
  idle: false,
  // What it was at its highest within a step counts, not the average of that.
  readings: [{ word: "", metric, instance, values: values.map(() => 0), most: values, color: 0, pale: false }],
});
const LINES = [line("cpu.user", [1, 70, null]), line("cpu.total", [null, 60, 50])];

test("it is of what the thresholds are about, be other lines higher or not", () => {
  assert.deepEqual(peakOf(SPEC, LINES, null), { metric: "cpu.total", instance: "", value: 60 });
});

test("it is of the line that is shown alone", () => {
  assert.deepEqual(peakOf(SPEC, LINES, "cpu.user"), { metric: "cpu.user", instance: "", value: 70 });
});

test("without a total it is of the highest line, with its instance", () => {
  const { total: _, ...parts } = SPEC;
  const disks = [line("disk.busy", [3], "sda"), line("disk.busy", [9, 4], "sdb")];
  assert.deepEqual(peakOf({ ...parts, parts: [{ metric: "disk.busy" }] }, disks, null), {
    metric: "disk.busy",
    instance: "sdb",
    value: 9,
  });
});

test("where nothing is known there is none", () => {
  assert.equal(peakOf(SPEC, [line("cpu.total", [null])], null), null);
});
