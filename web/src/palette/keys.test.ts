import assert from "node:assert/strict";
import { test } from "node:test";
import { PLACES } from "./keys.ts";

test("no key means two things in one place", () => {
  const everywhere = PLACES[0]?.keys.flatMap((one) => one.keys) ?? [];
  for (const { where, keys } of PLACES.slice(1)) {
    const all = [...everywhere, ...keys.flatMap((one) => one.keys)];
    assert.equal(new Set(all).size, all.length, where);
  }
});
