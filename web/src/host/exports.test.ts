import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stat } from "../api/types.gen.ts";
import { exactness, exportPath, exportResolution, statsAfter } from "./exports.ts";

const DAY_MS = 86_400_000;
const answer = (...exact: boolean[]) => ({
  host: "web-1",
  from: 0,
  to: DAY_MS,
  resolution: "hour" as const,
  stats: exact.map((one) => ({ exact: one }) as Stat),
});

test("statistics are exact only when all of them are", () => {
  assert.equal(exactness(answer(true, true)), "exact");
  assert.equal(exactness(answer(true, false)), "percentiles within 1 %");
});

test("the longer the range, the coarser the rows of an export", () => {
  assert.equal(exportResolution({ from: 0, to: DAY_MS }), "raw");
  assert.equal(exportResolution({ from: 0, to: DAY_MS + 1 }), "minute");
  assert.equal(exportResolution({ from: 0, to: 31 * DAY_MS }), "hour");
});

test("the longer a live window, the longer its statistics stand", () => {
  assert.equal(statsAfter(900_000), 15_000);
  assert.equal(statsAfter(7 * DAY_MS), 302_400);
});

test("an export names host, metrics and range", () => {
  assert.equal(
    exportPath("web-1", "cpu.total,cpu.user", { from: 5, to: 6 }, "csv"),
    "/api/v1/hosts/web-1/export?format=csv&metrics=cpu.total%2Ccpu.user&from=5&to=6&resolution=raw",
  );
});
