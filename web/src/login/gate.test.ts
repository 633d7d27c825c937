import assert from "node:assert/strict";
import { test } from "node:test";
import type { Me } from "../api/types.gen.ts";
import { gateOf, lack, parseKnown } from "./gate.ts";

const me = (change: Partial<Me>): Me => ({
  name: "ann",
  role: "operator",
  by: "session",
  session: 1,
  second_factor: false,
  has_password: true,
  oidc: "",
  demonstration: false,
  ...change,
});
const NOBODY = me({ name: "", role: null, by: "nobody", session: null });
const ANN = { name: "ann", role: "operator" } as const;
const FIRST = { me: null, failed: false, remembered: null, entered: null };

test("nothing is shown before it is known whether somebody is logged in", () => {
  assert.equal(gateOf(FIRST), "asking");
});

test("whoever was logged in the last time does not wait for the answer", () => {
  assert.equal(gateOf({ ...FIRST, remembered: { name: "ann", role: "viewer" } }), "open");
});

test("a gateway that does not answer is told by the page itself", () => {
  assert.equal(gateOf({ ...FIRST, failed: true }), "open");
});

test("a page that nobody has seen yet gives way to the login form, one in use is covered by it", () => {
  assert.equal(gateOf({ ...FIRST, me: NOBODY }), "login");
  assert.equal(gateOf({ ...FIRST, me: NOBODY, entered: ANN }), "ended");
});

test("a page is covered before somebody else sees it", () => {
  assert.equal(gateOf({ ...FIRST, me: me({}), entered: ANN }), "open");
  assert.equal(gateOf({ ...FIRST, me: me({ name: "ben" }), entered: ANN }), "ended");
});

test("whoever is logged out where everybody may read goes on as a reader", () => {
  const reader = me({ name: "", role: "viewer", by: "anonymous" });
  assert.equal(gateOf({ ...FIRST, me: reader, entered: ANN }), "open");
});

test("whoever was remembered in vain has seen nothing that is worth keeping", () => {
  assert.equal(gateOf({ ...FIRST, me: NOBODY, remembered: { name: "ann", role: "admin" } }), "login");
});

test("a gateway that lets everybody read is open without a name", () => {
  assert.equal(gateOf({ ...FIRST, me: me({ name: "", role: "viewer", by: "anonymous" }) }), "open");
});

test("the reason names the role that is needed and the one that is there", () => {
  assert.equal(lack(me({}), "admin"), "Needs the role admin; yours is operator.");
  assert.equal(lack(me({}), "operator"), null);
  assert.equal(lack(me({ name: "", role: "viewer" }), "operator"), "Needs the role operator; log in first.");
});

test("nothing is withheld while it is not known who asks", () => {
  assert.equal(lack(null, "admin"), null);
});

test("what the browser kept is taken only when it makes sense", () => {
  assert.deepEqual(parseKnown('{"name":"ann","role":"viewer"}'), { name: "ann", role: "viewer" });
  for (const text of [null, "", "{", "7", '{"name":"ann","role":"king"}', '{"role":"viewer"}', '{"name":7}'])
    assert.equal(parseKnown(text), null, String(text));
});
