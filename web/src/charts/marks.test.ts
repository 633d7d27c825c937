import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChartMark, marksAt, signsOf, toneOf } from "./marks.ts";

const moment = (time: number, level: "info" | "warning" | "critical" = "info"): ChartMark => ({
  time,
  end: time,
  kind: "reboot",
  level,
  title: `at ${time}`,
});
const stretch = (time: number, end: number | null): ChartMark => ({ ...moment(time, "critical"), kind: "alert", end });

test("what lies outside the range has no sign", () => {
  assert.deepEqual(signsOf([moment(50), moment(2100), stretch(0, 90)], 100, 2000, 1000), []);
});

test("a stretch that reaches into the range is drawn from its true beginning", () => {
  assert.deepEqual(signsOf([stretch(0, 500)], 100, 1000, 1000), [
    { from: 0, to: 500, tone: "--critical", lasting: true },
  ]);
});

test("marks of one tone on the same pixels are one sign", () => {
  const signs = signsOf([moment(1000), moment(1001), moment(900_000)], 0, 1_000_000, 500);
  assert.deepEqual(
    signs.map(({ from, to }) => [from, to]),
    [
      [1000, 1001],
      [900_000, 900_000],
    ],
  );
});

test("marks of different tones stay apart", () => {
  assert.equal(signsOf([moment(1000), moment(1001, "warning")], 0, 1_000_000, 500).length, 2);
});

test("a stretch too short for its pixels is a moment", () => {
  assert.equal(signsOf([stretch(1000, 1500)], 0, 1_000_000, 500)[0]?.lasting, false);
});

test("the mark under the cursor is the nearest, and one far away is none", () => {
  const marks = [moment(1000), moment(1080), moment(5000)];
  assert.deepEqual(
    marksAt(marks, 1070, 100).map(({ time }) => time),
    [1080, 1000],
  );
  assert.deepEqual(marksAt(marks, 3000, 100), []);
});

test("inside a stretch the cursor is at it", () => {
  assert.equal(marksAt([stretch(1000, 9000)], 5000, 10).length, 1);
});

test("what goes on is drawn to the end, and is under the cursor there", () => {
  const open = stretch(500, null);
  assert.deepEqual(signsOf([open], 0, 1000, 1000)[0]?.lasting, true);
  assert.deepEqual(marksAt([open], 999, 1), [open]);
});

test("serious things have the colours of alerts, a mute that of what was chosen, all else is quiet", () => {
  assert.equal(toneOf({ kind: "alert", level: "critical" }), "--critical");
  assert.equal(toneOf({ kind: "mute", level: "info" }), "--accent");
  assert.equal(toneOf({ kind: "constructor" }), "--muted");
});
