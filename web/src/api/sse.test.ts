import assert from "node:assert/strict";
import { test } from "node:test";
import { eventParser, reconnectDelay } from "./sse.ts";

test("an event is its name and data", () => {
  assert.deepEqual(eventParser()('event: frame\nid: e-1\ndata: {"a":1}\n\n'), [{ name: "frame", data: '{"a":1}' }]);
});

test("cuts anywhere change nothing", () => {
  const text = ": hello\n\nevent: snapshot\r\ndata: one\r\ndata: two\r\n\r\nevent: frame\ndata: x: y\n\n";
  const whole = eventParser()(text);
  assert.equal(whole.length, 2);
  for (let cut = 1; cut < text.length; cut += 1) {
    const parse = eventParser();
    assert.deepEqual([...parse(text.slice(0, cut)), ...parse(text.slice(cut))], whole, `cut at ${cut}`);
  }
});

test("several data lines are one value", () => {
  assert.equal(eventParser()("data: one\ndata: two\n\n")[0]?.data, "one\ntwo");
});

test("a comment or a name alone is no event", () => {
  assert.deepEqual(eventParser()(": ping\n\nevent: frame\n\n"), []);
});

test("a name holds for one event only", () => {
  assert.deepEqual(
    eventParser()("event: frame\ndata: 1\n\ndata: 2\n\n").map((event) => event.name),
    ["frame", "message"],
  );
});

test("waiting doubles, is spread, and ends at half a minute", () => {
  assert.equal(reconnectDelay(0, 1), 500);
  assert.equal(reconnectDelay(0, 0), 250);
  assert.equal(reconnectDelay(3, 1), 4000);
  assert.equal(reconnectDelay(50, 1), 30_000);
});
