import assert from "node:assert/strict";
import { test } from "node:test";
import { spark } from "./spark.ts";

const draw = (times: number[], values: (number | null)[], now = 60_000) =>
  spark(times, values, now, 60_000, 2500, 60, 20, 100);

test("the newest sample stands at the right edge, a minute ago at the left", () => {
  assert.equal(draw([58_000, 60_000], [0, 100]).line, "M58 20L60 0");
  assert.equal(draw([0, 2000], [50, 50]).line, "M0 10L2 10");
});

test("the scale is fixed and values beyond it are cut", () => {
  assert.equal(draw([59_000, 60_000], [-5, 250]).line, "M59 20L60 0");
});

test("what began before the left edge begins there, where the line crosses it", () => {
  const { line, area } = draw([-3000, -1000, 1000, 2000], [0, 20, 60, 60]);
  assert.equal(line, "M0 12L1 8L2 8");
  assert.equal(area, "M0 12L1 8L2 8L2 20L0 20Z");
});

test("a pause that lasted beyond the left edge is no line there", () => {
  assert.equal(draw([-2000, 1000, 2000], [50, 50, 50]).line, "M1 10L2 10");
});

test("a pause breaks the line and the area", () => {
  const { line, area } = draw([50_000, 51_000, 59_000, 60_000], [50, 50, 50, 50]);
  assert.equal(line, "M50 10L51 10M59 10L60 10");
  assert.equal(area, "M50 10L51 10L51 20L50 20ZM59 10L60 10L60 20L59 20Z");
});

test("an unknown value in between is drawn through only while the pause is short", () => {
  assert.equal(draw([57_000, 58_000, 59_000], [50, null, 50]).line, "M57 10L59 10");
  assert.equal(draw([55_000, 56_000, 57_000, 59_000], [50, null, null, 50]).line, "M55 10M59 10");
});

test("nothing to draw is an empty path", () => {
  assert.deepEqual(draw([], []), { line: "", area: "" });
});
