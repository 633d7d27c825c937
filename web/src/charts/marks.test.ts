import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChartMark, marksAt, signsOf, toneOf } from "./marks.ts";

const moment = (time: number, kind = "reboot"): ChartMark => ({ time, end: null, kind, title: `${kind} ${time}` });
const stretch = (time: number, end: number, kind = "critical"): ChartMark => ({ ...moment(time, kind), end });

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

test("a kind that nobody knows is told quietly", () => {
  assert.equal(toneOf("constructor"), "--muted");
});
