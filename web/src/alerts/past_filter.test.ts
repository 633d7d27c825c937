import assert from "node:assert/strict";
import { test } from "node:test";
import { filterFrom, filters, parameters } from "./past_filter.ts";

const from = (text: string) => filterFrom(new URLSearchParams(text));

test("an address without entries shows everything", () => {
  assert.equal(filters(from("")), false);
  assert.equal(parameters(from("incident=7")).toString(), "");
});

test("what makes no sense in an address is left out", () => {
  assert.deepEqual(from("level=loud&since=9y&state=x&seen=maybe&find=%20web%20"), { ...from(""), find: "web" });
});

test("a filter is asked for in the API's words", () => {
  const asked = parameters(from("find=web&level=critical&state=closed&seen=no&tag=prod&since=7d"));
  assert.equal(asked.toString(), "q=web&severity=critical&state=closed&acknowledged=false&tag=prod&from=-7d");
});
