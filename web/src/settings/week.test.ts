import assert from "node:assert/strict";
import { test } from "node:test";
import type { Span } from "../api/types.gen.ts";
import { cellWords, fillOf, painted, spansOf, weekOf } from "./week.ts";

const WORKDAYS: Span["days"] = ["mon", "tue", "wed", "thu", "fri"];
const nights: Span = { days: WORKDAYS, start: "22:00", until: "07:00" };
const EVERY_DAY: Span["days"] = [...WORKDAYS, "sat", "sun"];

test("nights over midnight are one stretch, there and back", () => {
  assert.deepEqual(spansOf(weekOf([nights])), [nights]);
});

test("a night from Sunday goes on in the week's beginning", () => {
  const sunday: Span = { days: ["sun"], start: "23:30", until: "06:15" };
  assert.equal(weekOf([sunday])[0], 1);
  assert.deepEqual(spansOf(weekOf([sunday])), [sunday]);
});

test("stretches that overlap or touch become one", () => {
  const parts: Span[] = [
    { days: ["mon"], start: "08:00", until: "12:00" },
    { days: ["mon"], start: "12:00", until: "13:00" },
    { days: ["mon"], start: "09:00", until: "10:00" },
  ];
  assert.deepEqual(spansOf(weekOf(parts)), [{ days: ["mon"], start: "08:00", until: "13:00" }]);
});

test("a weekend is cut at its midnights", () => {
  const weekend: Span[] = [
    { days: ["mon"], start: "00:00", until: "08:00" },
    { days: ["fri"], start: "18:00", until: "24:00" },
    { days: ["sat", "sun"], start: "00:00", until: "24:00" },
  ];
  assert.deepEqual(spansOf(weekOf(weekend)), weekend);
});

test("a whole week and none are told", () => {
  const all: Span = { days: EVERY_DAY, start: "00:00", until: "24:00" };
  assert.deepEqual(spansOf(weekOf([all])), [all]);
  assert.deepEqual(spansOf(weekOf([])), []);
});

test("whatever is covered, its stretches cover just that", () => {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % below;
  };
  for (let round = 0; round < 100; round += 1) {
    const week = new Uint8Array(7 * 1440);
    for (let stretch = 0; stretch < 1 + next(9); stretch += 1) {
      const from = next(week.length);
      for (let at = from; at < from + 1 + next(4000); at += 1) week[at % week.length] = 1;
    }
    assert.deepEqual(weekOf(spansOf(week)), week);
  }
});

test("a stretch that is not complete yet covers nothing", () => {
  assert.deepEqual(spansOf(weekOf([{ days: ["mon"], start: "", until: "07:00" }])), []);
});

test("cells between two corners are covered, and freed again", () => {
  const [one, other] = [
    { day: 4, slot: 47 },
    { day: 0, slot: 44 },
  ];
  const week = painted(weekOf([]), one, other);
  assert.deepEqual(spansOf(week), [{ days: WORKDAYS, start: "22:00", until: "24:00" }]);
  assert.equal(fillOf(week, other), "all");
  assert.deepEqual(spansOf(painted(week, one, other)), []);
});

test("a cell that is covered in part is covered whole first", () => {
  const week = weekOf([{ days: ["mon"], start: "08:10", until: "08:20" }]);
  const cell = { day: 0, slot: 16 };
  assert.equal(fillOf(week, cell), "part");
  assert.equal(fillOf(painted(week, cell, cell), cell), "all");
});

test("corners are told in any order", () => {
  assert.equal(cellWords({ day: 4, slot: 47 }, { day: 0, slot: 44 }), "Mon to Fri, 22:00 to 24:00");
  assert.equal(cellWords({ day: 6, slot: 0 }, { day: 6, slot: 0 }), "Sun, 00:00 to 00:30");
});
