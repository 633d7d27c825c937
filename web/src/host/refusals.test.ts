import assert from "node:assert/strict";
import { test } from "node:test";
import { refused } from "./refusals.ts";

const NOW = new Date(2026, 10, 21, 12, 5).getTime();
const refusal = (family: string, reason: string, rows: number, ago_ms: number) => ({
  family,
  reason,
  rows,
  last: NOW - ago_ms,
});

test("refused rows are counted by reason, the newest first", () => {
  const lines = refused(
    [
      refusal("cpu", "too old", 1000, 115_000),
      refusal("gpu", "ahead of the clock", 1, 60_000),
      refusal("memory", "too old", 204, 120_000),
    ],
    NOW,
  );
  assert.match(lines[0] ?? "", /^1 row refused: ahead of the clock \(GPU\), last 12:04:00$/);
  assert.match(lines[1] ?? "", /^1[^\d]?204 rows refused: too old \(CPU, Memory\), last 12:03:05$/);
});

test("another day's refusal has its date, and after a week it is no news", () => {
  assert.match(refused([refusal("cpu", "too old", 5, 2 * 86_400_000)], NOW)[0] ?? "", /19.* 12:05$/);
  assert.deepEqual(refused([refusal("cpu", "too old", 5, 8 * 86_400_000)], NOW), []);
});
