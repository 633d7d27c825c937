import assert from "node:assert/strict";
import { test } from "node:test";
import { mutedWords } from "./muted.ts";
import { changeOf, differenceWords, draftOf, faultsOf, type Said, tagsOf, withTag } from "./said.ts";

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

test("what somebody else changed and this draft does not touch is not sent, whatever it is by now", () => {
  const theirs = said({ muted_until: NOW + 8, note: "Disk swapped." });
  const draft = { ...draftOf(said()), label: "Till" };
  assert.deepEqual(changeOf(draft, said(), NOW), { label: "Till" });
  const told = differenceWords(said(), theirs, NOW);
  assert.match(told, /^it is muted until .+, the note is “Disk swapped.”\.$/);
});

test("what somebody else changed is told, and nothing else", () => {
  const told = (change: Partial<Said>) => differenceWords(said({ muted_until: "forever" }), said(change), NOW);
  assert.equal(told({ muted_until: null }), "it is not muted.");
  assert.equal(
    told({ label: "", tags: ["db", "eu"], muted_until: "forever" }),
    "there is no label, the tags are db, eu.",
  );
  assert.equal(told({ tags: [], note: "", muted_until: "forever" }), "there are no tags, there is no note.");
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
