import assert from "node:assert/strict";
import { test } from "node:test";
import { Ring } from "../charts/ring.ts";
import { top, total } from "./traffic.ts";

function ring(...samples: [time: number, value: number | null][]): Ring {
  const made = new Ring(60_000);
  for (const [time, value] of samples) made.push(time, value);
  return made;
}

test("traffic is added over directions and interfaces, time by time", () => {
  const received = ring([1000, 1], [2000, 2], [3000, 3]);
  const sent = ring([1000, 10], [3000, 30]);
  assert.deepEqual(total([received, sent], 0), { times: [1000, 2000, 3000], values: [11, 2, 33] });
});

test("a time at which nothing is known has no total", () => {
  assert.deepEqual(total([ring([1000, null], [2000, 5])], 0), { times: [2000], values: [5] });
});

test("what is older than asked for is left out, and times of several rings are in order", () => {
  assert.deepEqual(total([ring([1000, 1], [4000, 4]), ring([3000, 3])], 2000), { times: [3000, 4000], values: [3, 4] });
});

test("the top of the scale is round, and holds the largest value", () => {
  assert.equal(top([3_100_000]), 5_000_000);
  assert.equal(top([100_001]), 200_000);
  assert.equal(top([7e9, 1]), 1e10);
});

test("hardly any traffic does not look like much", () => {
  assert.equal(top([12, 900]), 100_000);
  assert.equal(top([]), 100_000);
});
