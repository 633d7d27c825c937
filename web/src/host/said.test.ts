import assert from "node:assert/strict";
import { test } from "node:test";
import { changeOf, draftOf, faultsOf, mutedWords, type Said, tagsOf, withTag } from "./said.ts";

const NOW = 1_790_000_000_000;
const said = (change: Partial<Said> = {}): Said => ({
  label: "Shop front",
  tags: ["prod", "eu"],
  note: "Ask ada.",
  muted_until: null,
  ...change,
});

test("a draft that nobody touched changes nothing", () => {
  for (const muted_until of [null, "forever", NOW + 1] as const)
    assert.deepEqual(changeOf(draftOf(said({ muted_until })), said({ muted_until }), NOW), {});
});

test("only what was edited is sent", () => {
  const draft = { ...draftOf(said()), label: " Till ", tags: "prod, eu db" };
  assert.deepEqual(changeOf(draft, said(), NOW), { label: "Till", tags: ["prod", "eu", "db"] });
  assert.deepEqual(changeOf({ ...draftOf(said()), note: "" }, said(), NOW), { note: "" });
});

test("a host is muted for some hours from now, for ever, or not any more", () => {
  const muted = (mute: "8" | "forever" | "off", before: Said) =>
    changeOf({ ...draftOf(before), mute }, before, NOW).muted_until;
  assert.equal(muted("8", said()), NOW + 8 * 3_600_000);
  assert.equal(muted("forever", said()), "forever");
  assert.equal(muted("off", said({ muted_until: "forever" })), null);
  assert.equal(muted("off", said()), undefined);
});

test("tags are words between spaces or commas, each once", () => {
  assert.deepEqual(tagsOf(" prod,eu  db,,prod\n"), ["prod", "eu", "db"]);
  assert.equal(withTag("prod, eu", "db"), "prod eu db");
  assert.equal(withTag("", "db"), "db");
});

test("what the gateway would refuse is told before", () => {
  assert.deepEqual(faultsOf(draftOf(said())), {});
  const many = Array.from({ length: 21 }, (_, number) => `tag-${number}`).join(" ");
  assert.match(faultsOf({ ...draftOf(said()), tags: many }).tags ?? "", /at most 20 tags; these are 21/);
  assert.match(faultsOf({ ...draftOf(said()), tags: "x".repeat(41) }).tags ?? "", /at most 40/);
  assert.match(faultsOf({ ...draftOf(said()), label: "x".repeat(81) }).label ?? "", /80/);
  assert.match(faultsOf({ ...draftOf(said()), note: "x".repeat(2001) }).note ?? "", /2000/);
});

test("a mute that is over is not mentioned", () => {
  assert.equal(mutedWords(null, NOW), "");
  assert.equal(mutedWords(NOW - 1, NOW), "");
  assert.equal(mutedWords("forever", NOW), "muted");
  assert.match(mutedWords(NOW + 1, NOW), /^muted until /);
});
