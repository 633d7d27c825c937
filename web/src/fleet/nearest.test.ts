import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestOf } from "./nearest.ts";

test("two letters that changed places are one mistake", () => {
  assert.equal(nearestOf("tga", ["is", "tag"]), "tag");
});

test("the fewest mistakes are what is meant", () => {
  assert.equal(nearestOf("web-11", ["wed-12", "web-12", "wed-21"]), "web-12");
});

test("words that are not alike are not taken for one another", () => {
  assert.equal(nearestOf("web", ["db", "proxy"]), null);
  assert.equal(nearestOf("x", ["y"]), null);
});
