import assert from "node:assert/strict";
import { test } from "node:test";
import { hostsIn, lineOf, linesOf, partsOf, placeOf } from "./lines.ts";

test("hosts without groups are rows alone", () => {
  const lines = linesOf([7], 3, false);
  assert.equal(lines.count, 3);
  assert.deepEqual(placeOf(lines, 2), { group: 0, row: 2 });
  assert.equal(lineOf(lines, 0, 6), 2);
});

test("each group has a head before its rows", () => {
  const lines = linesOf([4, 1], 3, true);
  assert.equal(lines.count, 5);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((line) => placeOf(lines, line)),
    [
      { group: 0, row: null },
      { group: 0, row: 0 },
      { group: 0, row: 1 },
      { group: 1, row: null },
      { group: 1, row: 0 },
    ],
  );
});

test("every host's line is the one that shows it", () => {
  const lines = linesOf([5, 2, 9], 2, true);
  for (const [group, size] of [5, 2, 9].entries())
    for (let at = 0; at < size; at += 1) {
      const [part] = partsOf(lines, [lineOf(lines, group, at)]);
      assert.equal(part?.group, group);
      assert.ok(hostsIn(lines, part as NonNullable<typeof part>).includes(at));
    }
});

test("the last row has only the hosts that are left", () => {
  const lines = linesOf([5], 3, false);
  assert.deepEqual(hostsIn(lines, { group: 0, rows: [0, 1] }), [0, 1, 2, 3, 4]);
});

test("rows that do not follow one another are parts of one group", () => {
  assert.deepEqual(partsOf(linesOf([9], 1, false), [0, 4, 5]), [{ group: 0, rows: [0, 4, 5] }]);
});

test("an empty fleet has no lines", () => {
  assert.equal(linesOf([], 3, true).count, 0);
});
