import assert from "node:assert/strict";
import { test } from "node:test";
import { viewOf } from "./view_names.ts";

test("a view is of a family, or one of a host's own", () => {
  for (const name of ["gpu", "custom", "alerts", "agent"]) assert.equal(viewOf(name), name);
});

test("an address that asks for a view that does not exist leads to the overview", () => {
  for (const name of [null, "", "foo", "constructor"]) assert.equal(viewOf(name), "");
});
