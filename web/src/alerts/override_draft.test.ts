import assert from "node:assert/strict";
import { test } from "node:test";
import type { Override } from "../api/types.gen.ts";
import { errorsByField, FRESH, faultsOf, ruleOf } from "./draft.ts";
import { NEW_OVERRIDE, overrideDraftOf, overrideFaults, overrideOf } from "./override_draft.ts";

const override: Override = {
  hosts: ["db-*", "web-1"],
  tags: ["prod"],
  warning: null,
  critical: { raise_at: 99, clear_at: 97.5 },
  for_s: 0,
  recover_for_s: null,
  enabled: false,
};

test("an exception survives the way through the form", () => {
  assert.deepEqual(overrideOf(overrideDraftOf(override), false), override);
});

test("what is left empty is as in the rule", () => {
  assert.deepEqual(overrideOf({ ...NEW_OVERRIDE, hosts: "db-1" }, false), {
    hosts: ["db-1"],
    tags: [],
    warning: null,
    critical: null,
    for_s: null,
    recover_for_s: null,
    enabled: null,
  });
});

test("an exception is for some hosts and changes something", () => {
  assert.match(overrideFaults({ ...NEW_OVERRIDE, critical_raise: "99" }, "above", false).hosts ?? "", /^Say for which/);
  const nothing = overrideFaults({ ...NEW_OVERRIDE, tags: "db" }, "above", false);
  assert.match(nothing.critical_raise ?? "", /^Change something/);
  assert.deepEqual(overrideFaults({ ...NEW_OVERRIDE, tags: "db", enabled: "off" }, "above", false), {});
});

test("everything wrong in an exception is told where it is", () => {
  const draft = { ...NEW_OVERRIDE, hosts: "Web 1", critical_raise: "99", critical_clear: "100", for_s: "8,5" };
  assert.deepEqual(Object.keys(faultsOf({ ...FRESH, name: "Any", overrides: [NEW_OVERRIDE, draft] })).sort(), [
    "overrides.0.hosts",
    "overrides.1.critical_clear",
    "overrides.1.for_s",
    "overrides.1.hosts",
  ]);
});

test("what the gateway says of an exception is told in its field and in the form's words", () => {
  assert.deepEqual(
    errorsByField([
      { field: "overrides[1].critical.raise_at", value: 101, reason: "must be at most 100 %: cpu.total is never more" },
      { field: "overrides[2]", value: null, reason: "is never taken: overrides[1] fits every host; put it before" },
    ]),
    {
      "overrides.1.critical_raise": "Type at most 100 %: CPU total is never more.",
      "overrides.2.hosts": "Is never taken: exception 2 fits every host; put it before.",
    },
  );
});

test("a rule about Sonde itself has no exceptions, and asks for no hosts", () => {
  const draft = { ...FRESH, metric: "channel.held", host: "web-1", tags: "prod", overrides: [NEW_OVERRIDE] };
  const { host, tags, overrides } = ruleOf(draft);
  assert.deepEqual([host, tags, overrides], ["*", [], []]);
  assert.deepEqual(Object.keys(faultsOf(draft)), ["name"]);
});
