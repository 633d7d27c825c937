import assert from "node:assert/strict";
import { test } from "node:test";
import { age, bytes, clock, duration, limit, quantity, round, span, text, ticks } from "./format.ts";
import { timeZone } from "./time/zone.ts";

const plain = (value: string) => value.replaceAll("\u00a0", " ");

test("unknown is a dash, never zero", () => {
  assert.equal(text(null, "%"), "–");
  assert.equal(text(undefined, "B"), "–");
  assert.equal(text(Number.NaN, ""), "–");
});

test("percentages keep one digit, a hundred keeps none", () => {
  assert.deepEqual(quantity(12.34, "%"), { value: "12.3", unit: "%" });
  assert.deepEqual(quantity(99.96, "%"), { value: "100", unit: "%" });
  assert.deepEqual(quantity(0, "%"), { value: "0.0", unit: "%" });
});

test("sizes follow the chosen base", () => {
  assert.deepEqual(bytes(1536, 1024), { value: "1.5", unit: "KiB" });
  assert.deepEqual(bytes(1536, 1000), { value: "1.5", unit: "kB" });
  assert.deepEqual(bytes(1023, 1024), { value: "1.00", unit: "KiB" });
  assert.deepEqual(bytes(512, 1024), { value: "512", unit: "B" });
  assert.deepEqual(quantity(2_000_000, "B/s", 1000), { value: "2.0", unit: "MB/s" });
});

test("a negative size keeps its sign", () => {
  assert.deepEqual(bytes(-2048, 1024), { value: "-2.0", unit: "KiB" });
});

test("large plain numbers are shortened, small ones are exact", () => {
  assert.equal(plain(text(1_234_567, "1/s")), "1.2 M/s");
  assert.equal(plain(text(0.52, "")), "0.52");
  assert.equal(plain(text(12, "")), "12");
});

test("durations show their two largest units", () => {
  assert.equal(plain(duration(42)), "42 s");
  assert.equal(plain(duration(300)), "5 min");
  assert.equal(plain(duration(7500)), "2 h 5 min");
  assert.equal(plain(duration(86400 * 12 + 4 * 3600 + 59)), "12 d 4 h");
});

test("an age is never negative", () => {
  assert.equal(plain(age(-5000)), "0 s");
  assert.equal(plain(age(4999)), "4 s");
});

test("the first tick of another day shows its date", () => {
  const midnight = new Date(2026, 10, 21).getTime();
  const labels = ticks([midnight - 3_600_000, midnight, midnight + 3_600_000], 3_600_000);
  assert.match(labels[0] as string, /23.00/);
  assert.doesNotMatch(labels[1] as string, /00.00/);
  assert.match(labels[2] as string, /01.00/);
});

test("a limit reads as it was set", () => {
  assert.equal(plain(limit(90, "%")), "90 %");
  assert.equal(plain(limit(92.5, "%")), "92.5 %");
  assert.equal(plain(limit(60, "s")), "1 min");
});

const NOON = new Date(2026, 10, 21, 12).getTime();
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

test("a range of today is told by its times alone", () => {
  assert.match(span(NOON - HOUR_MS, NOON, NOON), /^11.00 – 12.00$/);
});

test("a range of another day has the day, of another year the year", () => {
  assert.match(span(NOON - DAY_MS - HOUR_MS, NOON - DAY_MS, NOON), /20.*11.00 – 12.00$/);
  assert.doesNotMatch(span(NOON - DAY_MS - HOUR_MS, NOON - DAY_MS, NOON), /2026/);
  assert.match(span(NOON - DAY_MS, NOON, NOON + 365 * DAY_MS), /2026/);
});

test("a range of a year has two years, not one day", () => {
  assert.match(span(NOON - 365 * DAY_MS, NOON, NOON), /2025.* – .*2026/);
});

test("a range of a few minutes has seconds", () => {
  assert.match(span(NOON - 60_000, NOON, NOON), /^11.59.00 – 12.00.00$/);
});

test("the first tick of another year shows the year", () => {
  const labels = ticks([new Date(2025, 11, 1).getTime(), new Date(2026, 0, 1).getTime()], 30 * DAY_MS);
  assert.doesNotMatch(labels[0] as string, /2025/);
  assert.match(labels[1] as string, /2026/);
});

test("a round number has no digits that say nothing", () => {
  assert.equal(plain(round(4096, "B")), "4 KiB");
  assert.equal(plain(round(2.5, "%")), "2.5 %");
  assert.equal(plain(round(0.25, "%")), "0.25 %");
  assert.equal(plain(round(100, "%")), "100 %");
  assert.match(plain(round(2000, "")), /^2.?000$/);
});

test("times are told by the clocks of the page's zone", () => {
  const moment_ms = Date.parse("2026-11-22T23:30:00Z");
  try {
    timeZone.value = "Asia/Tokyo";
    assert.equal(clock(moment_ms), "08:30:00");
    assert.match(span(moment_ms, moment_ms + 3_600_000, moment_ms + 86_400_000), /23.*08:30 – 09:30/);
    timeZone.value = "UTC";
    assert.equal(clock(moment_ms), "23:30:00");
  } finally {
    timeZone.value = undefined;
  }
});
