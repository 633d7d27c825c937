import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalWords } from "./refusal.ts";

test("what the gateway objects to says in a sentence what to type", () => {
  assert.equal(refusalWords("must be at most 100 %: it is never more"), "Type at most 100 %: it is never more.");
  assert.equal(
    refusalWords("must be an e-mail address, such as ops@example.org"),
    "Type an e-mail address, such as ops@example.org.",
  );
});

test("another reason stays as it is, as a sentence", () => {
  assert.equal(refusalWords("required; name hosts, tags, or both"), "Required; name hosts, tags, or both.");
  assert.equal(refusalWords("must be another channel than this one"), "Must be another channel than this one.");
  assert.equal(refusalWords("A sentence."), "A sentence.");
});
