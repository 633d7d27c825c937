import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rule } from "../api/types.gen.ts";
import { byMetric, FAR, held, nearest, nearness, SLACK } from "./worst.ts";

const above = (warning: number | null, critical: number | null) => ({
  warning,
  critical,
  comparison: "above" as const,
});
const below = (warning: number | null, critical: number | null) => ({
  warning,
  critical,
  comparison: "below" as const,
});

const rule = (metric: string, warning: number, change: Partial<Rule> = {}): Rule =>
  ({
    metric,
    host: "*",
    instance: "*",
    enabled: true,
    comparison: "above",
    warning: { raise_at: warning, clear_at: warning - 5 },
    critical: null,
    window: { function: "last", seconds: 0, limit: null },
    also: null,
    tags: [],
    without_tags: [],
    not_instances: [],
    overrides: [],
    ...change,
  }) as Rule;

test("a value is as near to its threshold as its share of it", () => {
  assert.equal(nearness(above(80, 90), 60), 0.75);
  assert.equal(nearness(above(null, 90), 45), 0.5);
});

test("between two thresholds a value is between one and two", () => {
  assert.equal(nearness(above(80, 90), 85), 1.5);
  assert.equal(nearness(above(80, 90), 99), 2);
});

test("a value that must not fall is the nearer the smaller it is", () => {
  assert.equal(nearness(below(10, 5), 20), 0.5);
  assert.equal(nearness(below(10, 5), 7.5), 1.5);
});

test("past a threshold that stands alone nothing is worse", () => {
  assert.equal(nearness(above(null, 90), 95), 2);
  assert.equal(nearness(above(80, null), 95), 1);
});

test("a share of a threshold of nothing is not told", () => {
  assert.equal(nearness(above(0, null), 0), null);
  assert.equal(nearness(above(-10, null), -20), null);
});

test("the nearest of a host's values speaks", () => {
  const rules = byMetric([rule("cpu.total", 100), rule("filesystem.used_percent", 80)]);
  const latest = {
    cpu: { "": { total: 60 } },
    filesystem: { "/": { used_percent: 40 }, "/srv": { used_percent: 76 } },
  };
  assert.equal(nearest(rules, "web-1", latest), 0.95);
});

test("values far from their thresholds make no host worse than another", () => {
  assert.equal(held(undefined, FAR - 0.01), 0);
  assert.equal(held(FAR, FAR - 2 * SLACK), 0);
});

test("a host at the edge of being far away does not come and go", () => {
  assert.equal(held(FAR, FAR - SLACK / 2), FAR);
  assert.equal(held(0, FAR - SLACK / 2), 0);
});

test("a rule for other hosts says nothing", () => {
  assert.equal(
    nearest(byMetric([rule("cpu.total", 100, { host: "db-*" })]), "web-1", { cpu: { "": { total: 99 } } }),
    0,
  );
});

test("an instance that a rule leaves out makes no host worse", () => {
  const rules = byMetric([rule("filesystem.used_percent", 80, { not_instances: ["/snap/*"] })]);
  const latest = { filesystem: { "/": { used_percent: 60 }, "/snap/core": { used_percent: 100 } } };
  assert.equal(nearest(rules, "web-1", latest), 0.75);
});

test("a host keeps its place while its value moves a little", () => {
  assert.equal(held(0.8, 0.8 + SLACK / 2), 0.8);
  assert.equal(held(0.8, 0.8 - SLACK / 2), 0.8);
  assert.equal(held(0.8, 0.9), 0.9);
  assert.equal(held(undefined, 0.7), 0.7);
});
