import assert from "node:assert/strict";
import { test } from "node:test";
import { EXAMPLES, endsTyped, parseTyped } from "./typed.ts";

const VIENNA = "Europe/Vienna";
/** A Monday, 09:30 in Vienna. */
const NOW = Date.parse("2026-11-23T08:30:00Z");

/** From and to as clocks in Vienna show them. */
function range(text: string, now = NOW): [string, string] {
  const typed = parseTyped(text, now, VIENNA);
  assert.equal(typed.kind, "fixed", JSON.stringify(typed));
  const { from, to } = typed as { from: number; to: number };
  const shown = (ms: number) =>
    new Date(ms).toLocaleString("sv-SE", { timeZone: VIENNA, dateStyle: "short", timeStyle: "short" });
  return [shown(from), shown(to)];
}

function why(text: string): string {
  const typed = parseTyped(text, NOW, VIENNA);
  assert.equal(typed.kind, "wrong", text);
  return (typed as { why: string }).why;
}

test("a length slides with the present", () => {
  assert.deepEqual(parseTyped("-90m", NOW, VIENNA), { kind: "live", span_ms: 5_400_000 });
  assert.deepEqual(parseTyped("last 2 hours", NOW, VIENNA), { kind: "live", span_ms: 7_200_000 });
  assert.deepEqual(parseTyped("1h30m", NOW, VIENNA), { kind: "live", span_ms: 5_400_000 });
});

test("yesterday afternoon is an hour of yesterday", () => {
  assert.deepEqual(range("yesterday 14:00-15:00"), ["2026-11-22 14:00", "2026-11-22 15:00"]);
  assert.deepEqual(range("Yesterday 14:00 – 15:00"), ["2026-11-22 14:00", "2026-11-22 15:00"]);
});

test("a day is shown as a whole, and today up to now", () => {
  assert.deepEqual(range("yesterday"), ["2026-11-22 00:00", "2026-11-23 00:00"]);
  assert.deepEqual(range("today"), ["2026-11-23 00:00", "2026-11-23 09:30"]);
  assert.deepEqual(range("2026-11-20"), ["2026-11-20 00:00", "2026-11-21 00:00"]);
});

test("a weekday is the last one of that name, never today", () => {
  assert.deepEqual(range("friday"), ["2026-11-20 00:00", "2026-11-21 00:00"]);
  assert.deepEqual(range("mon"), ["2026-11-16 00:00", "2026-11-17 00:00"]);
});

test("weeks begin on Monday, months on their first", () => {
  assert.deepEqual(range("last week"), ["2026-11-16 00:00", "2026-11-23 00:00"]);
  assert.deepEqual(range("this month"), ["2026-11-01 00:00", "2026-11-23 09:30"]);
  assert.deepEqual(range("last month"), ["2026-10-01 00:00", "2026-11-01 00:00"]);
});

test("clock times without a day are the last that were", () => {
  assert.deepEqual(range("8:00-9:00"), ["2026-11-23 08:00", "2026-11-23 09:00"]);
  assert.deepEqual(range("14:00-15:00"), ["2026-11-22 14:00", "2026-11-22 15:00"]);
});

test("a range over midnight ends on the next day", () => {
  assert.deepEqual(range("20 nov 22:00 - 2:00"), ["2026-11-20 22:00", "2026-11-21 02:00"]);
});

test("a time alone is shown with what was around it", () => {
  assert.deepEqual(range("yesterday 14:05"), ["2026-11-22 13:35", "2026-11-22 14:35"]);
  assert.deepEqual(range("2 hours ago"), ["2026-11-23 07:00", "2026-11-23 08:00"]);
});

test("both ends may have their own day", () => {
  assert.deepEqual(range("20 Nov 9:00 to 21 Nov"), ["2026-11-20 09:00", "2026-11-22 00:00"]);
  assert.deepEqual(range("2026-11-20 14:00 - 2026-11-21 09:00"), ["2026-11-20 14:00", "2026-11-21 09:00"]);
  assert.deepEqual(range("2026-11-20T14:00-15:30"), ["2026-11-20 14:00", "2026-11-20 15:30"]);
});

test("a date without a year is the last of that name", () => {
  assert.deepEqual(range("24 December"), ["2025-12-24 00:00", "2025-12-25 00:00"]);
  assert.deepEqual(range("nov 3, 2026"), ["2026-11-03 00:00", "2026-11-04 00:00"]);
  assert.deepEqual(range("3.11."), ["2026-11-03 00:00", "2026-11-04 00:00"]);
});

test("lengths also count back from now at both ends", () => {
  assert.deepEqual(range("-2d to -1d"), ["2026-11-21 09:30", "2026-11-22 09:30"]);
  assert.deepEqual(range("-1h - now"), ["2026-11-23 08:30", "2026-11-23 09:30"]);
});

test("a moment with its offset is that moment in any zone", () => {
  assert.deepEqual(range("2026-11-20T10:00:00Z..2026-11-20T11:00:00Z"), ["2026-11-20 11:00", "2026-11-20 12:00"]);
});

test("the day on which clocks are set back has 25 hours", () => {
  const typed = parseTyped("2026-10-25", NOW, VIENNA) as { from: number; to: number };
  assert.equal(typed.to - typed.from, 25 * 3_600_000);
});

test("what is no range is told with examples of what is one", () => {
  assert.match(why("gestern"), /“gestern” is no range. Try -90m/);
  assert.match(why("31 feb"), /is no range/);
  assert.match(why("25:00"), /is no range/);
  assert.match(why(""), /Type a range/);
});

test("a range must have begun, end after that, and not be older than all history", () => {
  assert.equal(why("2026-12-01"), "That is still to come");
  assert.equal(why("21 nov - 20 nov"), "The end is before the beginning");
  assert.equal(why("1999-01-01"), "That is more than ten years ago");
  assert.equal(why("-50y"), "A range is from 10 seconds to ten years");
});

test("every example is a range", () => {
  for (const text of EXAMPLES) assert.notEqual(parseTyped(text, NOW, VIENNA).kind, "wrong", text);
});

test("what the documentation calls a range is one", () => {
  for (const text of ["2h30m", "last 3 days", "22:00-2:00", "2026-11-20T10:00:00Z..2026-11-20T11:00:00Z", "last week"])
    assert.notEqual(parseTyped(text, NOW, VIENNA).kind, "wrong", text);
});

test("a range shorter than charts show is refused rather than stretched", () => {
  assert.equal(why("5s"), "A range is from 10 seconds to ten years");
  assert.deepEqual(parseTyped("10s", NOW, VIENNA), { kind: "live", span_ms: 10_000 });
});

test("two ends of a calendar make a range by the clocks of the zone", () => {
  assert.deepEqual(endsTyped("2026-11-22T16:00", "2026-11-22T17:00:00", NOW, VIENNA), {
    kind: "fixed",
    from: Date.parse("2026-11-22T15:00:00Z"),
    to: Date.parse("2026-11-22T16:00:00Z"),
  });
});

test("ends of a calendar that make no range are told apart", () => {
  const told = (from: string, to: string) => (endsTyped(from, to, NOW, VIENNA) as { why: string }).why;
  assert.equal(told("2026-11-22T16:00", "2026-11-22T15:00"), "The end must be after the beginning");
  assert.equal(told("", "2026-11-22T15:00"), "Both ends need a date and a time");
  assert.equal(told("2027-11-22T16:00", "2027-11-22T17:00"), "That is still to come");
});
