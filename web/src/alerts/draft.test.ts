import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rule } from "../api/types.gen.ts";
import { type Draft, draftOf, errorsByField, FRESH, faultsOf, idOf, ruleOf } from "./draft.ts";

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
  tags: [],
  without_tags: [],
  not_instances: [],
  window: { function: "last", seconds: 0, limit: null },
  also: null,
  no_data: "keep",
  no_data_s: 300,
  overrides: [],
  owner: "",
};

test("a rule survives the way through the form", () => {
  assert.deepEqual(ruleOf(draftOf(rule)), rule);
});

test("all that a rule can have survives the way through the form", () => {
  const whole: Rule = {
    ...rule,
    not_instances: ["/boot*"],
    overrides: [
      {
        hosts: ["db-*"],
        tags: [],
        warning: null,
        critical: { raise_at: 95, clear_at: 90 },
        for_s: null,
        recover_for_s: null,
        enabled: null,
      },
    ],
    window: { function: "time_left", seconds: 3600, limit: 50 },
    owner: "platform",
  };
  assert.deepEqual(ruleOf({ ...draftOf(whole), name: "Other" }), { ...whole, name: "Other" });
});

test("a window and a second condition are of what hosts sample", () => {
  const draft: Draft = {
    ...draftOf(rule),
    window_function: "avg",
    window_seconds: "300",
    also_metric: "filesystem.used",
  };
  const made = ruleOf({ ...draft, also_value: "7" });
  assert.deepEqual(made.window, { function: "avg", seconds: 300, limit: null });
  assert.deepEqual(made.also, { metric: "filesystem.used", comparison: "below", value: 7 });
  const down = ruleOf({ ...draft, metric: "host.down" });
  assert.deepEqual([down.window.function, down.also], ["last", null]);
  assert.equal(faultsOf({ ...draft, window_seconds: "" }).window_seconds, "Type how many seconds.");
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
    { field: "warning.clear_at", value: 9, reason: "must be at or below raise_at, which is 8" },
    { field: "critical", value: null, reason: "give one" },
    { field: "metric", value: "x", reason: "use another" },
  ]);
  assert.deepEqual(errors, {
    warning_clear: "Type a value at or below “Raise at”, which is 8.",
    critical_raise: "Give one.",
    metric: "Use another.",
  });
});

const draft = (change: Partial<Draft>): Draft => ({ ...FRESH, name: "Disk full", ...change });

test("a draft that can be saved has no faults", () => {
  assert.deepEqual(faultsOf(draft({})), {});
  assert.deepEqual(faultsOf(draftOf(rule)), {});
});

test("everything wrong is told at once", () => {
  const wrong = draft({
    name: " ",
    id: "No Id",
    host: "Web 1",
    warning_raise: "much",
    critical_clear: "95",
    for_s: "-1",
    recover_for_s: "8e9",
    runbook_url: "wiki",
  });
  assert.deepEqual(
    Object.keys(faultsOf(wrong)).sort(),
    ["critical_clear", "for_s", "host", "id", "name", "recover_for_s", "runbook_url", "warning_raise"].sort(),
  );
});

test("a rule without any threshold is told to set one", () => {
  const none = draft({ critical_raise: "", critical_clear: "" });
  assert.deepEqual(faultsOf(none), { critical_raise: "Set a warning threshold, a critical threshold, or both." });
});

test("a clear value must lie on the other side of the raise value", () => {
  assert.match(faultsOf(draft({ critical_clear: "95" })).critical_clear ?? "", /^Type 90 or less/);
  const below = draft({ comparison: "below", critical_raise: "10", critical_clear: "5" });
  assert.match(faultsOf(below).critical_clear ?? "", /^Type 10 or more/);
});

test("a clear value without a raise value asks for one", () => {
  assert.match(faultsOf(draft({ warning_clear: "60" })).warning_raise ?? "", /^Type the value to raise the alert at/);
});

test("a warning comes before the critical alert", () => {
  assert.match(faultsOf(draft({ warning_raise: "95" })).warning_raise ?? "", /^Type 90 or less/);
  assert.deepEqual(faultsOf(draft({ comparison: "below", warning_raise: "95", critical_clear: "95" })), {});
});

test("a name of which no id can be made asks for one", () => {
  assert.match(faultsOf(draft({ name: "磁盘" })).id ?? "", /^Type 1 to 40 characters/);
  assert.deepEqual(Object.keys(faultsOf(draft({ name: "" }))), ["name"]);
});

test("fields that host down does not use are not wrong", () => {
  const hidden = draft({ metric: "host.down", critical_raise: "60", critical_clear: "99", for_s: "much" });
  assert.deepEqual(faultsOf(hidden), {});
  assert.deepEqual(Object.keys(faultsOf({ ...hidden, critical_raise: "0" })), ["critical_raise"]);
});

test("the id of a new rule is one that no other has, and short enough", () => {
  const long = { id: "", name: "File system used high on db-prod-frankfurt-2" };
  const first = "file-system-used-high-on-db-prod-frankfu";
  assert.equal(idOf(long, []), first);
  const second = idOf(long, [first]);
  assert.equal(second, "file-system-used-high-on-db-prod-frank-2");
  assert.equal(idOf(long, [first, second]), "file-system-used-high-on-db-prod-frank-3");
  assert.deepEqual([idOf({ id: " own ", name: "x" }, ["own"]), idOf({ id: "", name: "…" }, [])], ["own", ""]);
});
