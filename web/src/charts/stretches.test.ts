import assert from "node:assert/strict";
import { test } from "node:test";
import { blanks, type Stretch } from "./stretches.ts";
import type { Line, Values } from "./timeline.ts";

const line = (avg: Values): Line => ({ metric: "disk.busy", instance: "", avg, min: avg, max: avg });
const ALL: Stretch = { from: 0, to: Number.POSITIVE_INFINITY };

/** Steps of a second from 0. */
function found(lines: Values[], answered: Stretch[], present = Number.POSITIVE_INFINITY) {
  const times = Array.from({ length: 6 }, (_, at) => at * 1000);
  return blanks(times, 1000, lines.map(line), answered, present);
}

test("a gap is where no line knows anything for more than two steps", () => {
  const lines = [
    [1, null, null, null, 1, null],
    [1, null, null, null, null, null],
  ];
  assert.deepEqual(found(lines, [ALL]), { gaps: [{ from: 1000, to: 4000 }], pending: [] });
});

test("what was not answered is pending, never a gap", () => {
  const lines = [[null, null, null, null, null, 1]];
  assert.deepEqual(found(lines, []), { gaps: [], pending: [{ from: 0, to: 5000 }] });
});

test("the answer ends where the pending part begins", () => {
  const none = [[null, null, null, null, null, null]];
  assert.deepEqual(found(none, [{ from: 0, to: 3000 }]), {
    gaps: [{ from: 0, to: 3000 }],
    pending: [{ from: 3000, to: 6000 }],
  });
});

test("what the live stream covers is a gap when it told nothing", () => {
  const lines = [[1, null, null, null, null, null]];
  assert.deepEqual(found(lines, [{ from: 500, to: Number.POSITIVE_INFINITY }]).gaps, [{ from: 1000, to: 6000 }]);
});

test("of the future nothing is expected", () => {
  assert.deepEqual(found([[1, 1, null, null, null, null]], [], 2000), { gaps: [], pending: [] });
});

test("without any line everything is pending or a gap", () => {
  assert.deepEqual(found([], []).pending, [{ from: 0, to: 6000 }]);
  assert.deepEqual(found([], [ALL]).gaps, [{ from: 0, to: 6000 }]);
});

test("a chart of one step is pending as a whole", () => {
  assert.deepEqual(blanks([0], 10_000, [], [], 5000).pending, [{ from: 0, to: 10_000 }]);
});
