import assert from "node:assert/strict";
import { test } from "node:test";
import { liveWindow, type Window } from "./window.ts";
import { deeper, shallower } from "./zooms.ts";

const HOUR: Window = { kind: "fixed", from: 1_000_000, to: 4_600_000, preset: "6h", paused: false };

test("the way out of zooms is the way in, backwards", () => {
  const inside = deeper(deeper(null, liveWindow("6h")), HOUR);
  const first = shallower(inside);
  assert.deepEqual(first?.window, HOUR);
  const second = shallower(first?.memory);
  assert.deepEqual(second?.window, liveWindow("6h"));
  assert.equal(shallower(second?.memory), null);
});

test("what else an entry remembers is kept", () => {
  assert.deepEqual(shallower(deeper({ scroll: 7 }, HOUR))?.memory, { scroll: 7, zooms: [] });
});

test("a memory of something else is no zoom", () => {
  for (const memory of [null, undefined, "x", 5, {}, { zooms: "range=1h" }, { zooms: [5, null] }])
    assert.equal(shallower(memory), null);
});

test("zooms without end do not fill the memory", () => {
  let memory: unknown = null;
  for (let turn = 0; turn < 500; turn += 1) memory = deeper(memory, HOUR);
  assert.ok(JSON.stringify(memory).length < 4000);
});
