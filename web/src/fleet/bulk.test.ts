import assert from "node:assert/strict";
import { test } from "node:test";
import { compareHref, failedWords, MOST_AT_ONCE, namesOf, previewWords, requestsFor, tagOffers } from "./bulk.ts";

const result = (host: string, error = "") => ({ host, done: error === "", error, reply: null });

test("a request names as many hosts as it may, and the next one the others", () => {
  const hosts = Array.from({ length: MOST_AT_ONCE + 1 }, (_, at) => `web-${at}`);
  const requests = requestsFor(hosts, { change: "unmute" });
  assert.deepEqual(
    requests.map((one) => one.hosts?.length),
    [MOST_AT_ONCE, 1],
  );
  assert.equal(requests[1]?.change, "unmute");
});

test("a few hosts are named and the others counted", () => {
  assert.equal(namesOf(["a"]), "a");
  assert.equal(namesOf(["a", "b"]), "a and b");
  assert.equal(namesOf(["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
});

test("beforehand it is told whom a change concerns, and whom it cannot", () => {
  assert.equal(previewWords([result("a"), result("b")]), "Changes 2 hosts: a and b.");
  assert.equal(previewWords([result("a", "unknown host")]), "Changes no host. Not a: unknown host.");
});

test("a reason that holds for several hosts is told once", () => {
  assert.equal(
    failedWords([result("a"), result("b", "too many tags"), result("c", "too many tags")]),
    "Done for 1 of 3 hosts. Not b and c: too many tags.",
  );
});

test("a change that worked has no reason", () => {
  assert.equal(failedWords([result("a")]), null);
});

test("hosts to compare are in the address", () => {
  assert.equal(compareHref(["a", "b"]), "/compare?hosts=a,b&metrics=cpu.total");
});

test("the last of several tags is completed, by one that is not there yet", () => {
  const known = ["prod", "preview", "web", "Paris"];
  assert.deepEqual(tagOffers("web pr", known), ["web prod", "web preview"]);
  assert.deepEqual(tagOffers("p", known), ["prod", "preview", "Paris"]);
  assert.deepEqual(tagOffers("prod,web ", known), ["prod,web preview", "prod,web Paris"]);
});
