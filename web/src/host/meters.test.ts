import assert from "node:assert/strict";
import { test } from "node:test";
import { hiddenOf, isLate, metersOf } from "./meters.ts";

const GIB = 2 ** 30;
const LATEST = {
  cpu: { "": { total: 12.5, load1: 0.5 } },
  memory: { "": { used: GIB, total: 4 * GIB, used_percent: 25, swap_total: 0, swap_percent: null } },
  filesystem: {
    "/": { used_percent: 40, available: 6 * GIB, inodes_percent: 3 },
    "/backup": { used_percent: null, stuck: 1 },
  },
  gpu: { "0": { utilisation: 87, temperature: 60, power: 200 } },
};
const tiles = (latest = LATEST, cores = 2) =>
  metersOf(latest, cores, 1024).map(({ title, value, beside }) => [
    title,
    value,
    beside.join(" · ").replaceAll("\u00a0", " "),
  ]);

test("a tile tells a share and what is said beside it, in the catalogue's units", () => {
  assert.deepEqual(tiles(), [
    ["CPU", 12.5, "load 1 min 0.50 · 2 cores"],
    ["Memory", 25, "1.0 GiB of 4.0 GiB"],
    ["/", 40, "6.0 GiB free · inodes used 3.0 %"],
    ["/backup", null, "does not answer"],
    ["GPU 0", 87, "60.0 °C · 200 W"],
  ]);
});

test("a host without CPU or memory has no tile of them", () => {
  const { gpu } = LATEST;
  assert.deepEqual(
    metersOf({ gpu }, 0, 1024).map((tile) => tile.path),
    ["gpu.utilisation"],
  );
});

test("a phone hides what comes after the first few tiles and has reached no limit", () => {
  assert.equal(hiddenOf(Array.from({ length: 6 }, () => "normal" as const)), 0);
  assert.equal(hiddenOf([...Array.from({ length: 6 }, () => "normal" as const), "critical", "normal"]), 1);
});

test("a value that was not sampled lately is told with its time", () => {
  assert.ok(!isLate(70_000, 100_000, 10_000));
  assert.ok(isLate(69_999, 100_000, 10_000));
  assert.ok(!isLate(undefined, 100_000, 10_000), "its samples are not known, but only its latest value");
});
