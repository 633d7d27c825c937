import assert from "node:assert/strict";
import { test } from "node:test";
import { isSame, lasting, proposedName } from "./words.ts";

test("what is about this moment is not kept", () => {
  assert.equal(lasting("/?q=web&add=machine&wall=30"), "/?q=web");
  assert.equal(lasting("/hosts/web-1?paused=1"), "/hosts/web-1");
});

test("the order of a query's entries makes no other page", () => {
  assert.ok(isSame("/?q=web&sort=cpu", "/?sort=cpu&q=web"));
  assert.ok(isSame("/?q=web&wall=30", "/?q=web"));
  assert.ok(!isSame("/?q=web", "/?q=db"));
  assert.ok(!isSame("/alerts", "/"));
});

test("a page is called by what it shows", () => {
  assert.equal(proposedName("/"), "Fleet");
  assert.equal(proposedName("/audit"), "Audit log");
  assert.equal(proposedName("/?q=tag%3Aprod"), "Fleet: tag:prod");
  assert.equal(proposedName("/hosts/web-1?range=24h"), "web-1: 24h");
  assert.equal(proposedName("/compare?hosts=a,b&metrics=cpu.total"), "Compare: a, b, CPU total");
});

test("a page that there is none of is called by its path", () => {
  for (const path of ["/hosts/%zz", "//", "/nowhere?q=%"]) assert.equal(typeof proposedName(path), "string", path);
  assert.equal(proposedName("/hosts/%zz"), "hosts/%zz");
});

test("a proposed name is no longer than a name may be", () => {
  assert.equal(proposedName(`/?q=${"web".repeat(60)}`).length, 80);
});
