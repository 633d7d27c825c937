import assert from "node:assert/strict";
import { test } from "node:test";
import { firstAtOrAfter, Ring } from "./ring.ts";

test("samples stay in time order however they arrive", () => {
  const ring = new Ring(60_000);
  for (const time of [1000, 3000, 2000, 5000, 4000]) ring.push(time, time / 1000);
  assert.deepEqual(ring.times, [1000, 2000, 3000, 4000, 5000]);
  assert.deepEqual(ring.values, [1, 2, 3, 4, 5]);
});

test("a sample sent twice counts once", () => {
  const ring = new Ring(60_000);
  ring.push(1000, 1);
  ring.push(2000, 2);
  ring.push(2000, 9);
  ring.push(1000, 9);
  assert.deepEqual(ring.values, [1, 2]);
});

test("at most a tenth more is held than is kept", () => {
  const ring = new Ring(60_000);
  let most = 0;
  for (let second = 0; second < 10_000; second += 1) {
    ring.push(second * 1000, 1);
    most = Math.max(most, ring.times.length);
  }
  assert.equal(most, 67);
  assert.equal(ring.times.at(-1), 9_999_000);
});

test("a sample too old to keep is passed over", () => {
  const ring = new Ring(60_000);
  ring.push(1_000_000, 1);
  ring.push(10_000, 2);
  assert.deepEqual(ring.times, [1_000_000]);
});

test("the peak looks at the asked time only and passes over nulls", () => {
  const ring = new Ring(60_000);
  ring.push(1000, 90);
  ring.push(2000, null);
  ring.push(3000, 40);
  assert.equal(ring.peak(0), 90);
  assert.equal(ring.peak(1500), 40);
  assert.equal(ring.peak(9000), null);
});

test("the first entry not before a time is found at both ends", () => {
  assert.equal(firstAtOrAfter([10, 20, 30], 5), 0);
  assert.equal(firstAtOrAfter([10, 20, 30], 20), 1);
  assert.equal(firstAtOrAfter([10, 20, 30], 31), 3);
});

/** What `ring` has, taken by `other`. */
function handed(ring: Ring, other: Ring): Ring {
  const packed = new Float64Array(2 * ring.kept + 2);
  ring.pack(ring.kept, packed, 2);
  other.merge(ring.kept, packed, 2);
  return other;
}

test("a ring takes what another one packed, in its place and once", () => {
  const ring = new Ring(60_000);
  for (const second of [1, 2, 3, 4]) ring.push(second * 1000, second === 3 ? null : second);
  const other = new Ring(60_000);
  for (const second of [0, 2, 5]) other.push(second * 1000, second);
  handed(ring, other);
  assert.deepEqual(other.times, [0, 1000, 2000, 3000, 4000, 5000]);
  assert.deepEqual(other.values, [0, 1, 2, null, 4, 5]);
});

test("of what is older than is kept nothing is packed", () => {
  const ring = new Ring(10_000);
  for (let second = 0; second <= 18; second += 1) ring.push(second * 1000, second);
  assert.deepEqual(handed(ring, new Ring(60_000)).times.at(0), 8000);
});
