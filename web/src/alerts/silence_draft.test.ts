import assert from "node:assert/strict";
import { test } from "node:test";
import type { Incident, Silenced, StoredSilence } from "../api/types.gen.ts";
import { timeZone } from "../time/zone.ts";
import { ALL, matchDraftOf, matcherOf, matcherOfIncident } from "./matching.ts";
import { clocksWords, draftOf, faultsOf, freshFor, localText, previewWords, silenceOf } from "./silence_draft.ts";
import { silenceState } from "./telling.ts";

const NOW_S = 1_795_219_200;

const stored: StoredSilence = {
  id: 7,
  match: { ...ALL, hosts: ["web-*"], instances: ["/srv/old stock"], severity: "warning" },
  starts: NOW_S - 12.5,
  ends: NOW_S + 3600.25,
  reason: "a move",
  by: "ada",
  state: "active",
  version: 3,
  invalid: "",
};

test("a silence survives the way through the form to the fraction of its seconds", () => {
  const { match, starts, ends, reason } = stored;
  assert.deepEqual(silenceOf(draftOf(stored)), { match, starts, ends, reason });
});

test("a new silence begins at once and lasts so long", () => {
  assert.deepEqual(silenceOf({ ...freshFor(ALL), lasts: "14400" }), {
    match: ALL,
    starts: null,
    for_s: 14_400,
    reason: "",
  });
});

test("a time is told and read by the page's clocks, to the minute, and it is said whose they are", (context) => {
  context.after(() => {
    timeZone.value = undefined;
  });
  for (const [zone, text, clocks] of [
    ["UTC", "2026-11-21T02:00", "UTC"],
    ["Asia/Tokyo", "2026-11-21T11:00", "Asia/Tokyo, UTC+9"],
    ["America/New_York", "2026-11-20T21:00", "America/New_York, UTC−5"],
  ] as const) {
    timeZone.value = zone;
    const ends = localText(NOW_S + 7200);
    assert.deepEqual([ends, clocksWords(ends, NOW_S)], [text, clocks]);
    assert.equal(silenceOf({ ...freshFor(ALL), lasts: "until", ends }).ends, NOW_S + 7200);
  }
});

test("a silence begins and ends by itself", () => {
  const planned = { ...stored, starts: NOW_S, ends: NOW_S + 60, state: "pending" as const };
  assert.deepEqual(
    [-1, 0, 59, 60].map((after_s) => silenceState(planned, NOW_S + after_s)),
    ["pending", "active", "active", null],
  );
});

test("a silence without an end, or with one that is over, is refused before the gateway is asked", () => {
  const until = { ...freshFor(ALL), lasts: "until" };
  assert.deepEqual(Object.keys(faultsOf(until, NOW_S)), ["ends"]);
  assert.deepEqual(Object.keys(faultsOf({ ...until, ends: localText(NOW_S - 60) }, NOW_S)), ["ends"]);
  assert.deepEqual(faultsOf({ ...until, ends: localText(NOW_S + 60) }, NOW_S), {});
});

test("the silence of an incident fits its instance, whatever characters that has", () => {
  const incident = { rule: "disk", host: "web-1", instance: "/srv/a,b*", state: "open" } as Incident;
  const match = matcherOf(matchDraftOf(matcherOfIncident(incident)));
  assert.deepEqual([match.rules, match.hosts, match.instances], [["disk"], ["web-1"], ["/srv/a?b*"]]);
});

test("an incident of no host is silenced as one about Sonde itself", () => {
  const match = matcherOfIncident({ rule: "blind", host: "", instance: "" } as Incident);
  assert.deepEqual(match, { ...ALL, rules: ["blind"], about: "sonde" });
});

test("a preview counts, and warns of a silence of everything", () => {
  const found: Silenced = { incidents: [], incident_count: 3, hosts: ["web-1"], host_count: 12 };
  const web = { ...ALL, hosts: ["web-*"] };
  assert.equal(previewWords(web, found), "Matches 3 firing alerts and 12 hosts.");
  assert.equal(
    previewWords(web, { ...found, incident_count: 1, host_count: 0 }),
    "Matches 1 firing alert and no hosts.",
  );
  assert.match(previewWords(ALL, found), /Nobody would be told of anything/);
});
