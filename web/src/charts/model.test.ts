import assert from "node:assert/strict";
import { test } from "node:test";
import { CHARTS } from "../host/charts.ts";
import { latestWord, model, readingsAt } from "./model.ts";
import type { ChartSpec } from "./spec.ts";
import type { Line, Timeline, Values } from "./timeline.ts";
import { liveWindow, parseWindow } from "./window.ts";

const chart = (id: string) => CHARTS.find((spec) => spec.id === id) as ChartSpec;
const line = (metric: string, instance: string, avg: Values, min = avg, max = avg): Line => ({
  metric,
  instance,
  avg,
  min,
  max,
});
const timeline = (lines: Line[], step_ms = 1000): Timeline => ({
  step_ms,
  times: (lines[0] as Line).avg.map((_, at) => at * step_ms),
  lines,
});

test("a stack adds its parts up and puts the total over them as a line", () => {
  const drawn = model(
    chart("cpu"),
    timeline([line("cpu.user", "", [10, 20]), line("cpu.system", "", [5, 5]), line("cpu.total", "", [16, 26])]),
    1000,
    null,
  ).drawn;
  assert.deepEqual(
    drawn.map((one) => one.values),
    [
      [10, 20],
      [15, 25],
      [16, 26],
    ],
  );
  assert.equal(drawn[2]?.style, "line");
});

test("a gap in one part is a gap in the stack", () => {
  const drawn = model(
    chart("cpu"),
    timeline([line("cpu.user", "", [1, null, null, 1]), line("cpu.system", "", [1, 1, 1, 1])]),
    1000,
    null,
  ).drawn;
  assert.deepEqual(drawn[1]?.values, [2, null, null, 2]);
});

test("the legend tells parts of a stack by themselves, not added up", () => {
  const made = model(chart("cpu"), timeline([line("cpu.user", "", [10]), line("cpu.system", "", [5])]), 1000, null);
  assert.deepEqual(
    made.legend.map((one) => [one.name, readingsAt(one, 0)[0]?.value]),
    [
      ["user", 10],
      ["system", 5],
    ],
  );
});

test("what is sent hangs below the axis and reads as a positive number", () => {
  const made = model(
    chart("network"),
    timeline([line("network.received", "eth0", [7]), line("network.sent", "eth0", [3])]),
    1000,
    null,
  );
  assert.deepEqual(
    made.drawn.map((one) => one.values),
    [[7], [-3]],
  );
  assert.equal(made.low, -3);
  assert.deepEqual(
    readingsAt(made.legend[0] as never, 0).map(({ word, value }) => [word, value]),
    [
      ["received", 7],
      ["sent", 3],
    ],
  );
});

test("steps longer than the period get a band from min to max", () => {
  const made = model(chart("busy"), timeline([line("disk.busy", "sda", [5], [1], [9])], 6000), 1000, null);
  assert.deepEqual(
    made.drawn.map((one) => one.values),
    [[5], [9], [1]],
  );
  assert.deepEqual(made.bands, [{ upper: 1, lower: 2, color: 0, pale: false }]);
  assert.equal(made.high, 9);
});

test("a mirrored band has its larger value below", () => {
  const made = model(chart("disk"), timeline([line("disk.write", "sda", [5], [1], [9])], 6000), 1000, null);
  const band = made.bands[0] as { upper: number; lower: number };
  assert.deepEqual([made.drawn[band.upper]?.values, made.drawn[band.lower]?.values], [[-1], [-9]]);
});

test("steps as long as the period have no band", () => {
  assert.equal(model(chart("busy"), timeline([line("disk.busy", "sda", [5])]), 1000, null).drawn.length, 1);
});

test("one legend line alone keeps its colour", () => {
  const lines = [line("disk.busy", "sda", [5]), line("disk.busy", "sdb", [50])];
  const made = model(chart("busy"), timeline(lines), 1000, "sdb");
  assert.deepEqual(
    made.drawn.map((one) => [one.color, one.values]),
    [[1, [50]]],
  );
  assert.equal(made.legend.length, 2);
  assert.equal(made.high, 50);
});

test("a line that is gone cannot hide the others", () => {
  assert.equal(model(chart("busy"), timeline([line("disk.busy", "sda", [5])]), 1000, "sdz").drawn.length, 1);
});

test("without a cursor the legend tells the latest known value", () => {
  const made = model(chart("busy"), timeline([line("disk.busy", "a", [1, 2, null])]), 1000, null);
  assert.equal(readingsAt(made.legend[0] as never, null)[0]?.value, 2);
  assert.equal(readingsAt(made.legend[0] as never, 2)[0]?.value, null);
});

test("the total leads the legend of a stack and can stand alone", () => {
  const lines = [line("cpu.user", "", [10]), line("cpu.total", "", [16])];
  assert.deepEqual(
    model(chart("cpu"), timeline(lines), 1000, null).legend.map((one) => one.name),
    ["total", "user"],
  );
  const alone = model(chart("cpu"), timeline(lines), 1000, "cpu.total").drawn;
  assert.deepEqual(
    alone.map((one) => [one.values, one.style]),
    [[[16], "filled"]],
  );
});

test("a chart knows when nothing is known at all", () => {
  assert.ok(model(chart("busy"), timeline([line("disk.busy", "a", [null, null])]), 1000, null).empty);
  assert.ok(!model(chart("busy"), timeline([line("disk.busy", "a", [null, 0])]), 1000, null).empty);
});

const traffic = (...instances: string[]) =>
  model(
    chart("network"),
    timeline(instances.flatMap((name) => [line("network.received", name, [7]), line("network.sent", name, [3])])),
    1000,
    null,
  ).drawn.map(({ color, pale }) => [color, pale]);

test("one interface has a colour for what comes in and one for what goes out", () => {
  assert.deepEqual(traffic("eth0"), [
    [0, false],
    [1, false],
  ]);
});

test("several interfaces have a colour each, paler for what goes out", () => {
  assert.deepEqual(traffic("eth0", "eth1"), [
    [0, false],
    [0, true],
    [1, false],
    [1, true],
  ]);
});

test("a part that is to be filled is, however many parts there are", () => {
  const made = model(
    chart("memory"),
    timeline([line("memory.used", "", [7]), line("memory.cached", "", [3]), line("memory.buffers", "", [1])]),
    1000,
    null,
  );
  assert.deepEqual(
    made.drawn.map((one) => one.style),
    ["filled", "line", "line"],
  );
});

test("a part that is zero all the time is idle", () => {
  const made = model(
    chart("cpu"),
    timeline([line("cpu.user", "", [0, 1]), line("cpu.steal", "", [0, null])]),
    1000,
    null,
  );
  assert.deepEqual(
    made.legend.map((one) => [one.name, one.idle]),
    [
      ["user", false],
      ["steal", true],
    ],
  );
});

test("a line that ended a while ago has no latest value, however long the steps are", () => {
  const ended = (steps: number) => [7, ...Array.from({ length: steps }, () => null)];
  const latest = (steps: number, step_ms: number) =>
    model(chart("busy"), timeline([line("disk.busy", "sda", ended(steps))], step_ms), 1000, null).legend[0]?.readings[0]
      ?.latest;
  assert.deepEqual([latest(59, 1000), latest(61, 1000)], [7, null]);
  assert.deepEqual([latest(2, 180_000), latest(3, 180_000)], [7, null]);
});

test("only the latest value of a chart that follows the present, in short steps, is called one of now", () => {
  assert.equal(latestWord(liveWindow("15m"), 2000), "Now");
  assert.equal(latestWord(liveWindow("30d"), 3_600_000), "Last");
  assert.equal(latestWord(parseWindow(new URLSearchParams("from=1000&to=9000")), 1000), "Last");
});
