import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActiveAlert, Reason } from "../api/types.gen.ts";
import { isSilenced, newsOf, wordsOf } from "./news.ts";

const alert = (more: Partial<ActiveAlert> = {}): ActiveAlert => ({
  rule: "hot",
  rule_name: "CPU busy",
  host: "web-1",
  instance: "",
  metric: "cpu.total",
  state: "firing",
  severity: "warning",
  value: 91.25,
  unit: "%",
  threshold: 90,
  since: 0,
  incident: 7,
  acknowledged: false,
  acknowledged_until: null,
  ...more,
});

test("it is told what fires and is bad enough, and nothing when nobody wants it", () => {
  const all = [alert(), alert({ incident: 8, severity: "critical" }), alert({ incident: 9, state: "recovering" })];
  const keys = (level: "off" | "critical" | "all") => newsOf(all, level).map(({ key }) => key);
  assert.deepEqual(keys("all"), ["7:warning", "8:critical"]);
  assert.deepEqual(keys("critical"), ["8:critical"]);
  assert.deepEqual(keys("off"), []);
});

test("what gets worse is news", () => {
  const [before] = newsOf([alert()], "all");
  const [after] = newsOf([alert({ severity: "critical" })], "all");
  assert.notEqual(before?.key, after?.key);
});

test("a silence that holds keeps the browser quiet, too", () => {
  const reason = (about: Reason["about"], stops: boolean): Reason => ({
    about,
    stops,
    text: "",
    at: null,
    channel: "",
  });
  assert.ok(isSilenced([reason("rule", false), reason("silence", true)]));
  assert.ok(!isSilenced([reason("silence", false), reason("route", true)]));
});

test("a notification says how bad, where, what, and how far over the limit", () => {
  assert.deepEqual(wordsOf(alert({ severity: "critical", instance: "/data" }), 1024), {
    title: "Critical: web-1 /data",
    body: "CPU busy: 91.3\u00a0%, limit 90\u00a0%",
  });
  assert.deepEqual(wordsOf(alert({ host: "", value: null }), 1024), { title: "Warning: Sonde", body: "CPU busy" });
});

test("a notification of a demonstration says first that it is one", () => {
  assert.equal(wordsOf(alert(), 1024, true).title, "Demonstration: Warning: web-1");
});
