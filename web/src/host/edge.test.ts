import assert from "node:assert/strict";
import { test } from "node:test";
import { edgeOf, type Present } from "./edge.ts";

const UP: Present = { state: "up", known: true, live: true, lastSample: 90_000, now: 100_000 };

test("charts of a host that is up end with its last sample, however old", () => {
  assert.equal(edgeOf(UP, 80_000), 90_000);
});

test("charts of a host that is late or offline go on, so that the outage is seen", () => {
  assert.equal(edgeOf({ ...UP, state: "late" }, 90_000), 100_000);
  assert.equal(edgeOf({ ...UP, state: "offline" }, 90_000), 100_000);
});

test("while nobody knows, the edge stays", () => {
  assert.equal(edgeOf({ ...UP, state: "offline", known: false, live: false }, 95_000), 95_000);
});

test("while values are polled, the edge is the last sample", () => {
  assert.equal(edgeOf({ ...UP, state: "late", live: false }, 80_000), 90_000);
});

test("while values are polled, charts of a host that is offline go on all the same", () => {
  assert.equal(edgeOf({ ...UP, state: "offline", live: false }, 90_000), 100_000);
});

test("a host that comes back does not move the edge back", () => {
  assert.equal(edgeOf(UP, 99_000), 99_000);
});

test("a host without any sample has the present for an edge", () => {
  assert.equal(edgeOf({ ...UP, lastSample: null }, null), 100_000);
});
