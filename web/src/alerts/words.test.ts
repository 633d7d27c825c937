import assert from "node:assert/strict";
import { test } from "node:test";
import { metricOf, pathWords, unitOf } from "../api/catalogue.ts";
import type { ActiveAlert, Rule } from "../api/types.gen.ts";
import { isSeen } from "./transitions.ts";
import { isDrawn, ruleSentence, slug } from "./words.ts";

const rule: Rule = {
  id: "fs",
  name: "Full",
  metric: "filesystem.used_percent",
  host: "*",
  instance: "/var",
  comparison: "above",
  warning: { raise_at: 85, clear_at: 80 },
  critical: { raise_at: 95, clear_at: 92 },
  for_s: 120,
  recover_for_s: 60,
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
};
const plain = (text: string) => text.replaceAll("\u00a0", " ");

test("a rule reads as a sentence", () => {
  assert.equal(
    plain(ruleSentence(rule, 1024)),
    "When File system used on /var of any host is above 85 % (warning) or above 95 % (critical) for 2 min. Over when it is at or below 80 % / 92 % for 1 min.",
  );
});

test("host down speaks of silence", () => {
  const down = { ...rule, metric: "host.down", instance: "*", warning: null, critical: { raise_at: 60, clear_at: 60 } };
  assert.equal(plain(ruleSentence(down, 1024)), "When any host sends no sample for 1 min (critical).");
});

test("a rule without thresholds says that it never fires", () => {
  assert.match(ruleSentence({ ...rule, warning: null, critical: null }, 1024), /never/i);
});

test("units come from the catalogue", () => {
  assert.equal(unitOf("cpu.total"), "%");
  assert.equal(unitOf("host.down"), "s");
  assert.equal(unitOf("no.such"), "");
  assert.equal(metricOf("gpu.temperature")?.metric.unit, "°C");
});

test("paths have words", () => {
  assert.equal(pathWords("cpu.load1"), "CPU load 1 min");
  assert.equal(pathWords("disk.read_wait"), "Disk read wait");
});

test("an id is made of a name", () => {
  assert.equal(slug("CPU über 90 %!"), "cpu-uber-90");
  assert.equal(slug("x".repeat(60)).length, 40);
});

test("a window, a second condition, tags and missing values are said", () => {
  const whole: Rule = {
    ...rule,
    host: "db-*",
    tags: ["prod"],
    warning: null,
    window: { function: "avg", seconds: 300, limit: null },
    also: { metric: "filesystem.available", comparison: "below", value: 10 * 1024 ** 3 },
    no_data: "alert",
  };
  assert.equal(
    plain(ruleSentence(whole, 1024)),
    "When the average of File system used over 5 min on /var of hosts db-* with prod is above 95 % (critical), while File system available is below 10.0 GiB for 2 min. Over when it is at or below 92 % for 1 min. Without values for 5 min it fires.",
  );
});

test("a rule about Sonde itself names no host", () => {
  const blind: Rule = { ...rule, metric: "monitoring.blind", instance: "*", warning: null, for_s: 0 };
  assert.match(plain(ruleSentence(blind, 1024)), /^When Monitoring blind is above/);
});

test("changes and times have no line among the values", () => {
  assert.equal(isDrawn("p95"), true);
  for (const name of ["rate", "increase", "time_left"] as const) assert.equal(isDrawn(name), false);
});

test("what was acknowledged for a time is not any more when that is up, without anybody telling", () => {
  const alert = { acknowledged: true, acknowledged_until: 100 } as ActiveAlert;
  assert.deepEqual(
    [99, 100].map((now_s) => isSeen(alert, now_s)),
    [true, false],
  );
  assert.equal(isSeen({ ...alert, acknowledged_until: null }, 1e10), true);
  assert.equal(isSeen({ ...alert, acknowledged: false }, 0), false);
});
