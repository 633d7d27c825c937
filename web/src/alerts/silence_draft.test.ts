import assert from "node:assert/strict";
import { test } from "node:test";
import type { Incident, Silenced, StoredSilence } from "../api/types.gen.ts";
import { ALL, matchDraftOf, matcherOf, matcherOfIncident } from "./matching.ts";
import { draftOf, faultsOf, freshFor, localText, previewWords, silenceOf } from "./silence_draft.ts";

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

test("a time is this browser's, to the minute", () => {
  const ends = localText(NOW_S + 7200);
  assert.equal(silenceOf({ ...freshFor(ALL), lasts: "until", ends }).ends, NOW_S + 7200);
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
  assert.equal(previewWords(web, found), "Fits 3 alerts that fire now, and 12 hosts.");
  assert.equal(
    previewWords(web, { ...found, incident_count: 1, host_count: 0 }),
    "Fits 1 alert that fires now, and no hosts.",
  );
  assert.match(previewWords(ALL, found), /Nobody would be told of anything/);
});
