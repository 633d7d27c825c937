import assert from "node:assert/strict";
import { test } from "node:test";
import { moment } from "../format.ts";
import { FRESH, routeOf } from "../settings/route_draft.ts";
import { timeZone } from "../time/zone.ts";
import { ALL } from "./matching.ts";
import { byOurClocks, dayWords, matchWords, routeWords } from "./telling.ts";

test("a matcher is told as the alerts that it fits", () => {
  assert.equal(matchWords(ALL), "all alerts");
  assert.equal(matchWords({ ...ALL, severity: "critical" }), "all critical alerts");
  assert.equal(
    matchWords({ ...ALL, rules: ["disk"], hosts: ["web-1"], severity: "warning" }),
    "warning alerts of disk on web-1",
  );
});

test("times that the gateway tells are told by the page's clocks", (context) => {
  context.after(() => {
    timeZone.value = undefined;
  });
  timeZone.value = "Asia/Tokyo";
  const at = moment(Date.UTC(2026, 10, 21, 12, 30, 5));
  assert.equal(
    byOurClocks("ops was told of it, last at 2026-11-21 12:30:05 UTC."),
    `ops was told of it, last at ${at}.`,
  );
  assert.equal(byOurClocks("until 2026-11-21 12:30 UTC"), `until ${moment(Date.UTC(2026, 10, 21, 12, 30))}`);
  assert.equal(byOurClocks("fire to ops: 200 ok"), "fire to ops: 200 ok");
});

test("days in a row are one stretch", () => {
  assert.equal(dayWords(["mon", "tue", "wed", "thu", "fri"]), "Mon to Fri");
  assert.equal(dayWords(["sun", "sat", "mon"]), "Mon, Sat, Sun");
  assert.equal(dayWords(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), "every day");
});

test("a route's sentence tells its hours, what passes them, and who is told when nobody acknowledges", () => {
  const spans = [{ days: ["sat" as const, "sun" as const], start: "09:00", until: "17:00" }];
  const words = routeWords({
    ...routeOf(FRESH),
    channels: ["ops"],
    hours: { spans, kind: "working", zone: "Europe/Berlin", critical_passes: true },
    escalation: { after_s: 900, channels: ["boss"], critical_only: true },
  });
  assert.match(words, /tells only Sat, Sun 09:00 to 17:00 \(Europe\/Berlin\), what is critical always/);
  assert.match(words, /also tells boss of what is critical after 15.min unacknowledged/);
});
