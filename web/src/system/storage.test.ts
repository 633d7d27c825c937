import assert from "node:assert/strict";
import { test } from "node:test";
import type { PartUse, TableUse } from "../api/types.gen.ts";
import { byFamily, sharesOf } from "./storage.ts";

const table = (family: string, kind: TableUse["kind"], bytes: number, need: number | null = null): TableUse =>
  ({ family, kind, bytes, bytes_per_day: need === null ? null : need / 7, need_bytes: need }) as TableUse;
const part = (family: string, day: string, bytes: number): PartUse =>
  ({ family, kind: "raw", day, days: 1, bytes }) as PartUse;

test("families stand by what they take, each with its kinds", () => {
  const { families } = byFamily({
    tables: [table("cpu", "raw", 10), table("disk", "raw", 30), table("disk", "minute", 5)],
    parts: [],
  });
  assert.deepEqual(
    families.map(({ family, raw, minute, hour, bytes }) => [family, raw, minute, hour, bytes]),
    [
      ["disk", 30, 5, 0, 35],
      ["cpu", 10, 0, 0, 10],
    ],
  );
});

test("what is not known is not counted as nothing", () => {
  const { families } = byFamily({ tables: [table("cpu", "raw", 1, 70), table("cpu", "minute", 1)], parts: [] });
  assert.deepEqual([families[0]?.need, families[0]?.perDay], [70, 10]);
  const young = byFamily({ tables: [table("cpu", "raw", 1)], parts: [] });
  assert.equal(young.families[0]?.need, null);
});

test("every family has all days, the oldest first", () => {
  const parts = [part("cpu", "2026-11-22", 2), part("disk", "2026-11-21", 3), part("cpu", "2026-11-22", 4)];
  const { days, families } = byFamily({ tables: [table("cpu", "raw", 6), table("disk", "raw", 3)], parts });
  assert.deepEqual(days, ["2026-11-21", "2026-11-22"]);
  assert.deepEqual(
    families.map((one) => one.byDay),
    [
      [0, 6],
      [3, 0],
    ],
  );
});

test("a disk that will be full is told before it is", () => {
  const disk = { database_bytes: 20, free_bytes: 50, disk_bytes: 100 };
  assert.deepEqual(sharesOf({ ...disk, need_bytes: 40 }), { database: 20, growth: 20, others: 30, full: false });
  assert.deepEqual(sharesOf({ ...disk, need_bytes: 90 }), { database: 20, growth: 50, others: 30, full: true });
  assert.equal(sharesOf({ ...disk, need_bytes: 40, disk_bytes: null }), null);
});
