import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome, SeriesColumn } from "../api/types.gen.ts";
import { FRESH } from "./draft.ts";
import { added, isDrawn, linesOf, moved, snapped, spansOf, stepOf, topOf } from "./lines.ts";

const column = (...max: (number | null)[]): SeriesColumn => ({
  metric: "cpu.load1",
  instance: "",
  unit: "",
  avg: max,
  min: max,
  max,
});

test("the axis holds every value and every line, with room above", () => {
  assert.equal(topOf([column(3, null, 7)], [2, null], "", 1024), 10);
  assert.equal(topOf([column(3)], [18], "", 1024), 40);
  assert.equal(topOf([], [null], "", 1024) > 0, true);
});

test("a share ends at 100 unless it is more", () => {
  assert.equal(topOf([column(40)], [90], "%", 1024), 100);
  assert.equal(topOf([column(240)], [90], "%", 1024) > 240, true);
});

test("lines stand at round values", () => {
  assert.equal(stepOf(100, "%", 1024), 1);
  assert.equal(snapped(87.4, 1, 0, 100), 87);
  assert.equal(snapped(0.30000000000000004, 0.1, 0, 1), 0.3);
  assert.equal(snapped(140, 1, 0, 100), 100);
  assert.equal(snapped(-3, 1, 0, 100), 0);
});

test("where an alert ends moves with its line", () => {
  assert.deepEqual(moved(FRESH, "critical", 70), { critical_raise: "70", critical_clear: "60" });
  assert.deepEqual(moved({ ...FRESH, critical_clear: "" }, "critical", 70), { critical_raise: "70" });
});

test("a line that is added stands on the right side of the other one", () => {
  const warning = linesOf({ ...FRESH, ...added(FRESH, "warning", 100, 1) }).warning;
  assert.equal(warning !== null && warning < 90, true);
  const only = { ...FRESH, critical_raise: "", warning_raise: "60" };
  const critical = linesOf({ ...only, ...added(only, "critical", 100, 1) }).critical;
  assert.equal(critical !== null && critical > 60, true);
});

test("changes and times have no line among the values", () => {
  assert.equal(isDrawn({ ...FRESH, window_function: "p95" }), true);
  assert.equal(isDrawn({ ...FRESH, window_function: "rate" }), false);
  assert.equal(isDrawn({ ...FRESH, window_function: "time_left" }), false);
});

test("a rehearsal is drawn for the host in view, and until its end where it is still on", () => {
  const episode = { instance: "", severity: "critical", ended: 200, duration_s: 100, peak: 95 } as const;
  const outcome = {
    unit: "%",
    end: 900,
    episodes: [
      { ...episode, host: "web-1", fired: 100 },
      { ...episode, host: "web-2", fired: 100 },
      { ...episode, host: "web-1", fired: 800, ended: null },
    ],
  } as unknown as Outcome;
  const spans = spansOf(outcome, "web-1", 1024);
  assert.deepEqual(
    spans.map(({ time, end }) => [time, end]),
    [
      [100_000, 200_000],
      [800_000, 900_000],
    ],
  );
  assert.match(spans[0]?.title ?? "", /^Would have fired for 1.min 40.s, critical, up to 95/);
});
