import assert from "node:assert/strict";
import { test } from "node:test";
import { cpu, host, store } from "./builders.ts";
import { applyEvent, applyFrame, applyHost, applyPolled, applySnapshot, lateness, serverNow } from "./store.ts";

test("a thousand samples are one paint", () => {
  const { made, paints, paint } = store();
  applySnapshot(made, { time: 0, hosts: [host("a"), host("b")], history: {} }, 0);
  paint();
  const before = made.entries.get("a")?.tick.peek() as number;
  const samples = Array.from({ length: 500 }, (_, at) => [cpu("a", at * 1000, 1), cpu("b", at * 1000, 1)]).flat();
  applyFrame(made, { time: 0, samples }, 0);
  assert.equal(paints.length, 1);
  paint();
  assert.equal(made.entries.get("a")?.tick.peek(), before + 1);
});

test("hosts of a snapshot are shown when all have come, and those not named are gone", () => {
  const { made } = store();
  const portion = (...ids: string[]) => ({ time: 0, hosts: ids.map((id) => host(id)), history: {} });
  applyEvent(made, "snapshot", portion("a", "b"), 0);
  assert.deepEqual([made.ids.peek(), made.snapshots.peek()], [[], 0]);
  applyEvent(made, "snapshot", portion("c"), 0);
  applyEvent(made, "complete", { time: 0 }, 0);
  assert.deepEqual([made.ids.peek(), made.snapshots.peek()], [["a", "b", "c"], 1]);
  applyEvent(made, "resync", {}, 0);
  applyEvent(made, "snapshot", portion("c"), 0);
  assert.deepEqual(made.ids.peek(), ["a", "b", "c"]);
  applyEvent(made, "complete", { time: 0 }, 0);
  assert.deepEqual(made.ids.peek(), ["c"]);
});

test("what happens between the portions of a snapshot counts", () => {
  const { made } = store();
  const portion = (...ids: string[]) => ({ time: 0, hosts: ids.map((id) => host(id)), history: {} });
  applyEvent(made, "snapshot", portion("a", "b"), 0);
  applyEvent(made, "gone", { host: "a" }, 0);
  applyEvent(made, "host", host("new"), 0);
  applyEvent(made, "frame", { time: 0, samples: [cpu("b", 5000, 7), cpu("unnamed", 5000, 7)] }, 0);
  applyEvent(made, "snapshot", portion("c"), 0);
  applyEvent(made, "complete", { time: 0 }, 0);
  assert.deepEqual(made.ids.peek(), ["b", "c", "new"]);
  assert.equal(made.entries.get("b")?.latest.cpu?.[""]?.total, 7);
});

test("a snapshot that was broken off is begun anew by the next connection", () => {
  const { made } = store();
  const portion = (...ids: string[]) => ({ time: 0, hosts: ids.map((id) => host(id)), history: {} });
  applyEvent(made, "snapshot", portion("a"), 0);
  applyEvent(made, "resync", {}, 0);
  applyEvent(made, "snapshot", portion("b"), 0);
  applyEvent(made, "complete", { time: 0 }, 0);
  assert.deepEqual(made.ids.peek(), ["b"]);
});

test("a frame paints only the hosts it names", () => {
  const { made, paint } = store();
  applySnapshot(made, { time: 0, hosts: [host("a"), host("b")], history: {} }, 0);
  paint();
  const before = made.entries.get("b")?.tick.peek();
  applyFrame(made, { time: 0, samples: [cpu("a", 1000, 5)] }, 0);
  paint();
  assert.equal(made.entries.get("b")?.tick.peek(), before);
  assert.equal(made.entries.get("a")?.latest.cpu?.[""]?.total, 5);
});

test("an older sample fills the history but does not become the latest", () => {
  const { made } = store();
  applySnapshot(made, { time: 0, hosts: [host("a")], history: {} }, 0);
  applyFrame(made, { time: 0, samples: [cpu("a", 9000, 9), cpu("a", 5000, 5)] }, 0);
  const entry = made.entries.get("a");
  assert.equal(entry?.latest.cpu?.[""]?.total, 9);
  assert.equal(entry?.lastSample, 9000);
  assert.deepEqual(entry?.rings.get("cpu.total")?.get("")?.times, [5000, 9000]);
});

test("a family that a sample does not carry keeps its values", () => {
  const { made } = store();
  const latest = { filesystem: { "/": { used_percent: 40 } } };
  applySnapshot(made, { time: 0, hosts: [host("a", { last_sample: 1000, latest })], history: {} }, 0);
  applyFrame(made, { time: 0, samples: [cpu("a", 2000, 5)] }, 0);
  assert.equal(made.entries.get("a")?.latest.filesystem?.["/"]?.used_percent, 40);
});

test("an instance that ended is forgotten though nothing but samples come of its host", () => {
  const { made } = store();
  applySnapshot(made, { time: 0, hosts: [host("a")], history: {} }, 0);
  const sample = (time: number, name: string) => ({ host: "a", time, families: { container: { [name]: { cpu: 1 } } } });
  const samples = [sample(1000, "old"), sample(50_000, "new"), sample(100_000, "new"), sample(150_000, "new")];
  applyFrame(made, { time: 0, samples }, 0);
  assert.deepEqual([...(made.entries.get("a")?.rings.get("container.cpu")?.keys() ?? [])], ["new"]);
});

test("a host told as it was before the newest sample keeps what that had", () => {
  const { made } = store();
  applySnapshot(made, { time: 0, hosts: [host("a", { last_sample: 1000 })], history: {} }, 0);
  applyFrame(made, { time: 2000, samples: [cpu("a", 2000, 5)] }, 0);
  applyHost(made, host("a", { last_sample: 1000, state: "late" }));
  assert.equal(made.entries.get("a")?.latest.cpu?.[""]?.total, 5);
});

test("a host whose clock was set back goes on with its next sample, without the past that was ahead", () => {
  const { made } = store();
  applySnapshot(made, { time: 0, hosts: [host("a")], history: {} }, 0);
  applyFrame(made, { time: 300_000, samples: [cpu("a", 480_000, 9), cpu("a", 481_000, 9)] }, 0);
  applyFrame(made, { time: 301_000, samples: [cpu("a", 301_000, 5)] }, 0);
  const entry = made.entries.get("a");
  assert.deepEqual([entry?.lastSample, entry?.stride_ms], [301_000, null]);
  assert.equal(entry?.latest.cpu?.[""]?.total, 5);
  assert.deepEqual(entry?.rings.get("cpu.total")?.get("")?.times, [301_000]);
});

test("the history of a snapshot and the frames after it are one line without repeats", () => {
  const { made } = store();
  const history = { a: { times: [1000, 2000], "cpu.total": { "": [1, 2] } } };
  applySnapshot(made, { time: 0, hosts: [host("a")], history }, 0);
  applyFrame(made, { time: 0, samples: [cpu("a", 2000, 2), cpu("a", 3000, 3)] }, 0);
  applySnapshot(
    made,
    { time: 0, hosts: [host("a")], history: { a: { times: [2000, 3000, 4000], "cpu.total": { "": [2, 3, 4] } } } },
    0,
  );
  assert.deepEqual(made.entries.get("a")?.rings.get("cpu.total")?.get("")?.values, [1, 2, 3, 4]);
});

test("a fresh snapshot removes the hosts it does not name", () => {
  const { made } = store();
  applySnapshot(made, { time: 0, hosts: [host("a"), host("b")], history: {} }, 0);
  applySnapshot(made, { time: 0, hosts: [host("b")], history: {} }, 0);
  assert.deepEqual(made.ids.peek(), ["b"]);
});

test("a host event adds the host in its place", () => {
  const { made } = store();
  applySnapshot(made, { time: 0, hosts: [host("b")], history: {} }, 0);
  applyHost(made, host("a", { state: "offline" }));
  assert.deepEqual(made.ids.peek(), ["a", "b"]);
});

test("server time is told by the frame with the least delay", () => {
  const { made } = store();
  assert.equal(serverNow(made, 50), 50);
  applyFrame(made, { time: 10_000, samples: [] }, 7300);
  applyFrame(made, { time: 11_000, samples: [] }, 8005);
  applyFrame(made, { time: 12_000, samples: [] }, 9900);
  assert.equal(serverNow(made, 10_000), 12_995);
});

test("a stride is how far one frame moves the newest sample on", () => {
  const { made } = store();
  applySnapshot(
    made,
    { time: 0, hosts: [host("live", { last_sample: 1000 }), host("batch", { last_sample: 1000 })], history: {} },
    0,
  );
  applyFrame(
    made,
    {
      time: 11_000,
      samples: [cpu("live", 2000, 1), ...Array.from({ length: 10 }, (_, at) => cpu("batch", 2000 + at * 1000, 1))],
    },
    0,
  );
  assert.deepEqual([made.entries.get("live")?.stride_ms, made.entries.get("batch")?.stride_ms], [1000, 10_000]);
});

test("lateness is told against the fastest frame of the connection", () => {
  const { made } = store();
  applySnapshot(made, { time: 10_000, hosts: [], history: {} }, 0);
  assert.equal(lateness(made, 11_000, 1000), 0);
  assert.equal(lateness(made, 11_000, 9000), 8000);
});

test("hosts that are polled replace those that are there, without being a snapshot", () => {
  const { made } = store();
  applySnapshot(made, { time: 0, hosts: [host("a"), host("gone")], history: {} }, 0);
  applyFrame(made, { time: 1000, samples: [cpu("a", 1000, 7)] }, 1000);
  applyPolled(made, [host("a", { state: "late" }), host("new")]);
  assert.deepEqual(made.ids.peek(), ["a", "new"]);
  assert.equal(made.entries.get("a")?.host.peek().state, "late");
  assert.equal(made.snapshots.peek(), 1);
  assert.equal(made.entries.get("a")?.rings.get("cpu.total")?.get("")?.times.length, 1);
});

test("a host that is gone is dropped at once, and its last samples make none anew", () => {
  const { made, paint } = store();
  applySnapshot(made, { time: 0, hosts: [host("a"), host("b")], history: {} }, 0);
  assert.equal(applyEvent(made, "gone", { host: "a" }, 0), true);
  assert.deepEqual(made.ids.peek(), ["b"]);
  applyFrame(made, { time: 0, samples: [cpu("a", 1000, 1)] }, 0);
  paint();
  assert.deepEqual([...made.entries.keys()], ["b"]);
  assert.deepEqual([...made.removed.peek()], ["a"]);
});

test("of hosts that were removed the newest thousand are remembered", () => {
  const { made } = store();
  for (let at = 0; at <= 1000; at += 1) applyEvent(made, "gone", { host: `a-${at}` }, 0);
  assert.deepEqual([made.removed.peek().size, made.removed.peek().has("a-0")], [1000, false]);
});

test("a removed host that is back counts as removed no more", () => {
  const { made } = store();
  applyEvent(made, "gone", { host: "a" }, 0);
  applyHost(made, host("a"));
  assert.deepEqual(made.ids.peek(), ["a"]);
  assert.deepEqual([...made.removed.peek()], []);
});

test("a host that comes is listed in its place, and news of many hosts are told once a frame", () => {
  const { made, paint } = store();
  applySnapshot(made, { time: 0, hosts: [host("a"), host("c")], history: {} }, 0);
  paint();
  const before = made.news.peek();
  applyHost(made, host("b"));
  applyHost(made, host("c", { state: "late" }));
  assert.deepEqual(made.ids.peek(), ["a", "b", "c"]);
  paint();
  assert.equal(made.news.peek(), before + 1);
});

test("the list of hosts stays the same when a host that is in it changes", () => {
  const { made } = store();
  applySnapshot(made, { time: 0, hosts: [host("a"), host("b")], history: {} }, 0);
  const before = made.ids.peek();
  applyHost(made, host("b", { state: "offline" }));
  assert.equal(made.ids.peek(), before);
});

test("samples alone are no news of hosts", () => {
  const { made, paint } = store();
  applySnapshot(made, { time: 0, hosts: [host("a")], history: {} }, 0);
  paint();
  const before = made.news.peek();
  applyFrame(made, { time: 0, samples: [cpu("a", 1000, 1)] }, 0);
  paint();
  assert.equal(made.news.peek(), before);
});
