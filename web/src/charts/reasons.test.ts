import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChartMark } from "./marks.ts";
import { reasonOf, shortened } from "./reasons.ts";

const reason = (time: number, end: number | null): ChartMark => ({ time, end, kind: "gap", title: `${time}` });
const GAP = { from: 100, to: 200 };

test("the reason that explains the most of a gap is told", () => {
  assert.equal(reasonOf(GAP, [reason(0, 120), reason(110, 300), reason(190, 500)])?.time, 110);
});

test("a reason that goes on explains a gap to its end", () => {
  assert.equal(reasonOf(GAP, [reason(150, null)])?.time, 150);
});

test("a reason of another time explains nothing", () => {
  assert.equal(reasonOf(GAP, [reason(0, 100), reason(200, 300)]), undefined);
});

const letters = (text: string) => text.length;

test("a text that has room is told as it is", () => {
  assert.equal(shortened("The host was off", 16, letters), "The host was off");
});

test("a text that is too long ends with an ellipsis", () => {
  assert.equal(shortened("The host was off, or it could not reach the bus", 20, letters), "The host was off, o…");
});

test("where a few letters only have room, nothing is told", () => {
  assert.equal(shortened("The host was off, or it could not reach the bus", 8, letters), "");
});
