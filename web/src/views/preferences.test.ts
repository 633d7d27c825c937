import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredPreferences } from "../api/types.gen.ts";
import { bare, baseOf, isEqual, merged, type Preferences, parseTold, zoneShown, zoneStored } from "./preferences.ts";

const DEFAULTS: Preferences = {
  start: "/",
  zone: "local",
  units: "binary",
  theme: "system",
  contrast: "system",
  density: "comfortable",
};
const stored = (version: number, more: Partial<Preferences> = {}): StoredPreferences => ({
  ...DEFAULTS,
  ...more,
  version,
});

test("what another browser stored meanwhile stays where this one changed something else", () => {
  const theirs = stored(2, { start: "/alerts" });
  assert.deepEqual(merged(stored(1), { ...DEFAULTS, theme: "dark" }, theirs), {
    ...DEFAULTS,
    start: "/alerts",
    theme: "dark",
  });
});

test("what both changed is as this browser has it", () => {
  const mine: Preferences = { ...DEFAULTS, theme: "dark" };
  assert.equal(merged(stored(1), mine, stored(2, { theme: "light" })).theme, "dark");
});

test("an account that has stored nothing takes what the browser prefers", () => {
  const mine: Preferences = { ...DEFAULTS, theme: "dark", units: "decimal" };
  assert.deepEqual(merged(baseOf(null, "ada", mine, stored(0)), mine, stored(0)), mine);
});

test("a browser that did not know the account takes what is stored there", () => {
  const mine: Preferences = { ...DEFAULTS, theme: "dark" };
  const theirs = stored(3, { units: "decimal" });
  assert.deepEqual(merged(baseOf(null, "ada", mine, theirs), mine, theirs), bare(theirs));
});

test("what could not be stored is still a change when the page is opened again", () => {
  const told = { name: "ada", stored: stored(3) };
  const mine: Preferences = { ...DEFAULTS, start: "/alerts" };
  assert.equal(merged(baseOf(told, "ada", mine, stored(3)), mine, stored(3)).start, "/alerts");
});

test("another account gets nothing of what the one before preferred", () => {
  const told = { name: "ada", stored: stored(3) };
  const mine: Preferences = { ...DEFAULTS, start: "/hosts/payroll" };
  assert.deepEqual(merged(baseOf(told, "bob", mine, stored(0)), mine, stored(0)), DEFAULTS);
});

test("preferences are equal whatever version they are of", () => {
  assert.ok(isEqual(bare(stored(1)), stored(2)));
  assert.ok(!isEqual(DEFAULTS, stored(2, { contrast: "more" })));
});

test("a zone with a name stays stored until another one is chosen", () => {
  assert.equal(zoneShown("Europe/Berlin"), "local");
  assert.equal(zoneStored("local", "Europe/Berlin"), "Europe/Berlin");
  assert.equal(zoneStored("utc", "Europe/Berlin"), "utc");
  assert.equal(zoneStored("host", undefined), "host");
});

test("what the browser kept and makes no sense is nothing", () => {
  for (const text of [null, "", "{", "null", '{"name":"ada"}', '"ada"']) assert.equal(parseTold(text), null);
  const told = { name: "ada", stored: stored(3) };
  assert.deepEqual(parseTold(JSON.stringify(told)), told);
});
