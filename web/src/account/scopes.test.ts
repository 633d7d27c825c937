import assert from "node:assert/strict";
import { test } from "node:test";
import { examplePath, SCOPES, scopesShown, switched } from "./scopes.ts";

test("a part that is chosen takes its place among the others, and leaves it again", () => {
  const chosen = switched(switched([], "metrics", true), "hosts", true);
  assert.deepEqual(chosen, ["hosts", "metrics"]);
  assert.deepEqual(switched(chosen, "hosts", false), ["metrics"]);
});

test("a token without scopes may use everything", () => {
  assert.equal(scopesShown([]), "everything");
  assert.equal(scopesShown(["hosts", "metrics"]), "hosts, metrics");
});

test("the example asks what the token may use", () => {
  assert.equal(examplePath([]), "/api/v1/hosts");
  assert.equal(examplePath(["metrics"]), "/metrics");
  for (const scope of SCOPES.filter((one) => one !== "hosts" && one !== "metrics"))
    assert.equal(examplePath([scope]), "/api/v1/session");
});
