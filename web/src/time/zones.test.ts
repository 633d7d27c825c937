import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldOf, fieldTime, instantOf, isZone, midnight, offsetWord, wallOf } from "./zones.ts";

const VIENNA = "Europe/Vienna";
const at = (text: string): number => Date.parse(text);
const wall = (text: string) => {
  const [year, month, day, hour, minute, second] = text.split(/[-T:]/).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { year, month, day, hour, minute, second };
};

test("a moment is told as clocks of the zone show it", () => {
  assert.deepEqual(wallOf(at("2026-07-01T10:20:30Z"), VIENNA), wall("2026-07-01T12:20:30"));
  assert.deepEqual(wallOf(at("2026-01-01T00:00:00Z"), "America/New_York"), wall("2025-12-31T19:00:00"));
});

test("what clocks show leads back to the moment, in every hour of two years", () => {
  for (const zone of [VIENNA, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
    for (let ms = at("2026-01-01T00:30:00Z"); ms < at("2028-01-01T00:00:00Z"); ms += 3_600_000) {
      const back = instantOf(wallOf(ms, zone), zone);
      assert.deepEqual(wallOf(back, zone), wallOf(ms, zone), `${zone} ${new Date(ms).toISOString()}`);
      assert.ok(back <= ms, "of two moments that clocks show alike it is the first");
    }
});

test("a time that clocks leave out is taken as if they had not been set", () => {
  assert.equal(instantOf(wall("2026-03-29T02:30:00"), VIENNA), at("2026-03-29T01:30:00Z"));
});

test("of a time that there is twice the first is meant", () => {
  assert.equal(instantOf(wall("2026-10-25T02:30:00"), VIENNA), at("2026-10-25T00:30:00Z"));
});

test("a day of 23 hours ends at midnight all the same", () => {
  const day = at("2026-03-29T10:00:00Z");
  assert.equal(midnight(day, VIENNA, 1) - midnight(day, VIENNA), 23 * 3_600_000);
});

test("how far a zone is from UTC is told in hours and minutes", () => {
  const winter = at("2026-01-01T00:00:00Z");
  assert.equal(offsetWord(winter, "UTC"), "UTC");
  assert.equal(offsetWord(winter, VIENNA), "UTC+1");
  assert.equal(offsetWord(winter, "Asia/Kolkata"), "UTC+5:30");
  assert.equal(offsetWord(winter, "America/St_Johns"), "UTC−3:30");
});

test("a field for a date and time tells the moment that it was filled with", () => {
  const moment = at("2026-11-23T13:00:05Z");
  assert.equal(fieldOf(moment, VIENNA), "2026-11-23T14:00:05");
  assert.equal(fieldTime("2026-11-23T14:00:05", VIENNA), moment);
  assert.equal(fieldTime("2026-11-23T14:00", VIENNA), moment - 5000);
  assert.equal(fieldTime("", VIENNA), null);
});

test("a zone that nobody knows is none", () => {
  assert.ok(isZone(VIENNA));
  assert.ok(!isZone("Middle/Earth"));
  assert.ok(!isZone(""));
});
