import assert from "node:assert/strict";
import { test } from "node:test";
import { liveWindow } from "../charts/window.ts";
import { dueOf, type Seen } from "./due.ts";

const SEEN: Seen = { window: liveWindow("15m"), turn: 1, snapshots: 1, setting: null, transition: null };
const due = (before: Partial<Seen>, now: Partial<Seen>) => dueOf({ ...SEEN, ...before }, { ...SEEN, ...now }, "web-1");

test("at first, and for another range, marks are loaded", () => {
  assert.equal(dueOf(null, SEEN, "web-1"), "load");
  assert.equal(due({}, { window: liveWindow("1h") }), "load");
});

test("marks are asked for again in turn though the newest transition is of another host", () => {
  const transition = { host: "web-2" };
  assert.equal(due({ transition }, { transition, turn: 2 }), "refresh");
  assert.equal(due({ transition }, { transition, setting: {} }), "refresh");
  assert.equal(due({ transition }, { transition, snapshots: 2 }), "refresh");
});

test("a transition of this host is due, one of another is not", () => {
  assert.equal(due({ transition: { host: "web-2" } }, { transition: { host: "web-1" } }), "refresh");
  assert.equal(due({ transition: { host: "web-1" } }, { transition: { host: "web-2" } }), null);
});

test("what has not moved is not asked for again", () => {
  const transition = { host: "web-1" };
  assert.equal(due({ transition }, { transition }), null);
});
