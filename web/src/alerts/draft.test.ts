import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rule } from "../api/types.gen.ts";
import { draftOf, errorsByField, FRESH, ruleOf } from "./draft.ts";

const rule: Rule = {
  id: "disk",
  name: "Disk full",
  metric: "filesystem.used_percent",
  host: "db-1",
  instance: "/srv",
  comparison: "above",
  warning: { raise_at: 85, clear_at: 80.5 },
  critical: null,
  for_s: 120,
  recover_for_s: 0,
  enabled: false,
  runbook_url: "https://wiki.example/disk",
};

test("a rule survives the way through the form", () => {
  assert.deepEqual(ruleOf(draftOf(rule)), rule);
});

test("a rule without an id takes one from its name", () => {
  assert.equal(ruleOf({ ...FRESH, name: "CPU very busy" }).id, "cpu-very-busy");
});

test("an empty threshold is none, and a missing clear value equals raise", () => {
  const made = ruleOf({ ...FRESH, warning_raise: "70", warning_clear: " ", critical_raise: "" });
  assert.deepEqual(made.warning, { raise_at: 70, clear_at: 70 });
  assert.equal(made.critical, null);
});

test("host down watches hosts, not instances, only above, and clears where it raises", () => {
  const made = ruleOf({
    ...FRESH,
    metric: "host.down",
    instance: "/",
    comparison: "below",
    critical_raise: "30",
    critical_clear: "60",
  });
  assert.deepEqual(made.critical, { raise_at: 30, clear_at: 30 });
  assert.equal(made.instance, "*");
  assert.equal(made.comparison, "above");
});

test("the API's field errors find their fields", () => {
  const errors = errorsByField([
    { field: "warning.clear_at", value: 9, reason: "must be at or below raise_at" },
    { field: "critical", value: null, reason: "give one" },
    { field: "metric", value: "x", reason: "use another" },
  ]);
  assert.deepEqual(errors, {
    warning_clear: "must be at or below raise_at",
    critical_raise: "give one",
    metric: "use another",
  });
});
