import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActiveAlert, Reason } from "../api/types.gen.ts";
import { counted, isOver, isSilenced, isWanted, MANY, manyWords, newsOf, wordsOf } from "./news.ts";

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

test("what fires is news, whatever of it is wanted", () => {
  const all = [alert(), alert({ incident: 8, severity: "critical" }), alert({ incident: 9, state: "recovering" })];
  assert.deepEqual(
    newsOf(all).map(({ key }) => key),
    ["7:warning", "8:critical"],
  );
});

test("what is bad enough is wanted, and nothing where nobody wants any", () => {
  const wanted = (level: "off" | "critical" | "all") =>
    (["warning", "critical"] as const).filter((severity) => isWanted(alert({ severity }), level));
  assert.deepEqual([wanted("all"), wanted("critical"), wanted("off")], [["warning", "critical"], ["critical"], []]);
});

test("many at a time are told as one that counts them", () => {
  const many = [...Array<string>(30).fill("critical"), ...Array<string>(7).fill("warning")].map((severity) =>
    alert({ severity: severity as ActiveAlert["severity"] }),
  );
  const first = counted(many, undefined);
  assert.deepEqual(manyWords(first), { title: "37 new alerts", body: "30 of them are critical." });
  assert.equal(manyWords(counted(many, first)).title, "74 new alerts");
  assert.equal(manyWords(counted([alert()], undefined)).body, "None of them is critical.");
});

test("a notification is over when its incident is, and the one of many when nothing is left", () => {
  const left = new Set(["incident-7"]);
  assert.deepEqual(
    ["incident-7", "incident-8", MANY].map((tag) => isOver(tag, left)),
    [false, true, false],
  );
  assert.ok(isOver(MANY, new Set()));
});

test("what gets worse is news", () => {
  const [before] = newsOf([alert()]);
  const [after] = newsOf([alert({ severity: "critical" })]);
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
  assert.match(manyWords({ count: 7, critical: 1 }, true).title, /^Demonstration: /);
  assert.equal(wordsOf(alert(), 1024, true).title, "Demonstration: Warning: web-1");
});
