import assert from "node:assert/strict";
import { test } from "node:test";
import { replyWords } from "./orders.ts";

const reply = (result: unknown) => ({ id: "1", ok: true, result, error: "" });

test("a refusal is told in the agent's words", () => {
  const refused = { id: "1", ok: false, result: null, error: "path: '/srv' is not measured" };
  assert.deepEqual(replyWords("rescan", refused), [["", "path: '/srv' is not measured"]]);
});

test("what is left to send is counted", () => {
  assert.deepEqual(replyWords("flush", reply({ left: 0 })), [["", "Everything is sent."]]);
  assert.deepEqual(replyWords("flush", reply({ left: 3 })), [["", "3 batches are still to be sent."]]);
});

test("directories are listed, or there are none", () => {
  assert.deepEqual(replyWords("rescan", reply({ directories: ["/srv", "/var"] })), [["", "Measuring: /srv, /var."]]);
  assert.deepEqual(replyWords("rescan", reply({ directories: [] })), [["", "Measuring: none."]]);
});

test("a status is shown as it is, also what later versions put into it", () => {
  assert.deepEqual(replyWords("status", reply({ spool_bytes: 7, new: { a: 1 }, gone: null })), [
    ["spool bytes", "7"],
    ["new", '{"a":1}'],
    ["gone", "not known"],
  ]);
});
