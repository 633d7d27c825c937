import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rule } from "../api/types.gen.ts";
import { levelOf, ofHost, thresholdsFor } from "./thresholds.ts";

function rule(change: Partial<Rule> = {}): Rule {
  return {
    id: "cpu",
    name: "CPU",
    metric: "cpu.total",
    host: "*",
    instance: "*",
    comparison: "above",
    warning: { raise_at: 75, clear_at: 65 },
    critical: { raise_at: 90, clear_at: 80 },
    for_s: 0,
    recover_for_s: 0,
    enabled: true,
    runbook_url: "",
    tags: [],
    without_tags: [],
    not_instances: [],
    window: { function: "last", seconds: 0, limit: null },
    also: null,
    no_data: "keep",
    no_data_s: 300,
    overrides: [],
    owner: "",
    ...change,
  };
}

const at = (raise_at: number) => ({ raise_at, clear_at: raise_at });

test("a rule for all hosts applies to each", () => {
  assert.deepEqual(thresholdsFor([rule()], "web-1", "cpu.total", ""), {
    warning: 75,
    critical: 90,
    comparison: "above",
  });
});

test("the rule of a host wins over the one for all, whatever their order", () => {
  const own = rule({ host: "web-1", warning: null, critical: at(99) });
  for (const rules of [
    [rule(), own],
    [own, rule()],
  ])
    assert.equal(thresholdsFor(rules, "web-1", "cpu.total", "")?.critical, 99);
});

test("disabled rules, other metrics, hosts and instances do not count", () => {
  const others = [
    rule({ enabled: false }),
    rule({ metric: "cpu.user" }),
    rule({ host: "db-1" }),
    rule({ instance: "/" }),
  ];
  assert.equal(thresholdsFor(others, "web-1", "cpu.total", ""), null);
});

test("a level begins beyond its threshold", () => {
  const limits = thresholdsFor([rule()], "web-1", "cpu.total", "");
  assert.deepEqual(
    [75, 75.01, 90, 90.5].map((value) => levelOf(limits, value)),
    ["normal", "warning", "warning", "critical"],
  );
});

test("below compares the other way", () => {
  const limits = thresholdsFor(
    [rule({ comparison: "below", warning: at(20), critical: at(10) })],
    "web-1",
    "cpu.total",
    "",
  );
  assert.deepEqual(
    [30, 19, 9].map((value) => levelOf(limits, value)),
    ["normal", "warning", "critical"],
  );
});

test("an unknown value is at no level", () => {
  assert.equal(levelOf(thresholdsFor([rule()], "web-1", "cpu.total", ""), null), "normal");
});

test("patterns of hosts and instances fit", () => {
  const rules = [rule({ host: "web-*", critical: at(50) })];
  assert.equal(thresholdsFor(rules, "web-1", "cpu.total", "")?.critical, 50);
  assert.equal(thresholdsFor(rules, "db-1", "cpu.total", ""), null);
});

test("a rule over a window colours no value", () => {
  const rules = [rule({ window: { function: "avg", seconds: 300, limit: null } })];
  assert.equal(thresholdsFor(rules, "web-1", "cpu.total", ""), null);
});

const warningOf = (rules: Rule[], ...tags: string[]) =>
  thresholdsFor(ofHost(rules, "web-1", tags), "web-1", "cpu.total", "")?.warning ?? null;

test("a rule for hosts with a tag is about no others", () => {
  const rules = [rule({ tags: ["prod"], without_tags: ["batch"] })];
  assert.equal(warningOf(rules, "prod"), 75);
  assert.equal(warningOf(rules, "prod", "batch"), null);
  assert.equal(warningOf(rules), null);
});

test("a rule for hosts with a tag goes before one for all", () => {
  assert.equal(warningOf([rule(), rule({ tags: ["prod"], warning: at(50) })], "prod"), 50);
});

test("of a rule's exceptions the first that fits a host counts", () => {
  const as_is = { hosts: [], tags: [], warning: null, critical: null, for_s: null, recover_for_s: null, enabled: null };
  const overrides = [
    { ...as_is, tags: ["calm"], enabled: false },
    { ...as_is, hosts: ["web-*"], warning: at(60) },
    { ...as_is, hosts: ["web-1"], warning: at(20) },
  ];
  assert.equal(warningOf([rule({ overrides })]), 60);
  assert.equal(warningOf([rule({ overrides })], "calm"), null);
});

test("an instance that a rule leaves out has no thresholds", () => {
  const rules = [rule({ metric: "filesystem.used_percent", not_instances: ["/snap/*"] })];
  assert.equal(thresholdsFor(rules, "web-1", "filesystem.used_percent", "/snap/core"), null);
  assert.equal(thresholdsFor(rules, "web-1", "filesystem.used_percent", "/")?.warning, 75);
});

test("rules that tell no hosts apart are not looked through for each", () => {
  const rules = [rule()];
  assert.equal(ofHost(rules, "web-1", []), rules);
});

test("hosts that no rule tells apart share their rules", () => {
  const rules = [rule({ tags: ["prod"] }), rule({ host: "db-*" })];
  assert.equal(ofHost(rules, "web-1", ["prod"]), ofHost(rules, "web-2", ["prod", "eu"]));
  assert.notEqual(ofHost(rules, "web-1", ["prod"]), ofHost(rules, "web-1", []));
});
