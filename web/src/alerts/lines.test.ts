import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome, SeriesColumn } from "../api/types.gen.ts";
import { FRESH, faultsOf, ruleOf } from "./draft.ts";
import { added, linesOf, moved, snapped, spansOf, stepOf, thresholdsOf, topOf } from "./lines.ts";

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

test("the axis holds values and lines below zero, too", () => {
  assert.equal(topOf([column(3, -7)], [null], "ms", 1024), 10);
  assert.equal(topOf([column(3)], [-60], "ms", 1024) > 60, true);
});

test("a line that is added makes sense beside the other one, above and below", () => {
  for (const comparison of ["above", "below"] as const)
    for (const axis of [[0, 100] as const, [-100, 100] as const])
      for (const [level, other] of [
        ["warning", "critical"],
        ["critical", "warning"],
      ] as const)
        for (const typed of ["", "10", "60", "90"]) {
          const before = { ...FRESH, name: "A", comparison, warning_raise: "", critical_raise: "", critical_clear: "" };
          const draft = { ...before, [`${other}_raise`]: typed };
          const after = { ...draft, ...added(draft, level, axis, 1) };
          assert.deepEqual(faultsOf(after), {}, `${level} ${comparison} ${typed}`);
          assert.equal(typed === "" || linesOf(after)[level] !== linesOf(after)[other], true);
        }
});

test("a line alone is at the quarter of the axis that values reach last", () => {
  const none = { ...FRESH, critical_raise: "" };
  assert.equal(linesOf({ ...none, ...added(none, "critical", [0, 100], 1) }).critical, 75);
  const below = { ...none, comparison: "below" as const };
  assert.equal(linesOf({ ...below, ...added(below, "critical", [0, 100], 1) }).critical, 25);
});

test("an incident's lines are those that were in force for its host", () => {
  const at = (raise_at: number) => ({ raise_at, clear_at: raise_at });
  const { warning: _, ...rest } = ruleOf(FRESH);
  const exception = { hosts: ["db-*"], tags: [], warning: null, critical: at(99) };
  const overrides = [{ ...exception, for_s: null, recover_for_s: null, enabled: null }];
  const rule = { ...rest, warning: at(80), critical: at(95), overrides };
  const of = (host: string, tags: string[] = []) => ({ host, tags, severity: "critical", threshold: 99 }) as never;
  assert.deepEqual(thresholdsOf({ incident: of("db-1"), rule }), { warning: 80, critical: 99 });
  assert.deepEqual(thresholdsOf({ incident: of("web-1"), rule }), { warning: 80, critical: 95 });
  const increase = { ...rule, window: { function: "increase" as const, seconds: 600, limit: null } };
  assert.equal(thresholdsOf({ incident: of("db-1"), rule: increase }), null);
  assert.equal(thresholdsOf({ incident: of("db-1"), rule: null }), null);
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
