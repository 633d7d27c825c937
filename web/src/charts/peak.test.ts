import assert from "node:assert/strict";
import { test } from "node:test";
import { CHARTS } from "../host/charts.ts";
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
const line = (metric: string, highest: (number | null)[], instance = ""): LegendLine => ({
  key: instance || metric,
  name: metric,
  idle: false,
  readings: [{ word: "", metric, instance, values: [], latest: null, highest, color: 0, pale: false }],
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

test("a rule made of the chart of memory is about what programs hold, not about the page cache", () => {
  const memory = CHARTS.find((spec) => spec.id === "memory") as ChartSpec;
  const lines = [line("memory.used", [4, 5]), line("memory.cached", [9])];
  assert.deepEqual(peakOf(memory, lines, null), { metric: "memory.used", instance: "", value: 5 });
});
