import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import type { FromRelay, StreamState } from "./messages.ts";
import { createRelay, type Relay } from "./relay.ts";

const HOST = { id: "web-1", state: "up", last_sample: 1000, facts: {}, alerts: {}, latest: {}, labels: {} };
const portion = (...hosts: object[]) =>
  `event: snapshot\ndata: ${JSON.stringify({ time: 1000, hosts, history: {} })}\n\n`;
const COMPLETE = `id: e-1\nevent: complete\ndata: ${JSON.stringify({ time: 1000 })}\n\n`;

/** What stands for the network: how it answers now, and what it was asked. */
const network = {
  answers: true,
  knows: true,
  end: () => {},
  begin: portion(HOST) + COMPLETE,
  asked: [] as { url: string; lastId: string | null }[],
  send: (_: string): void => {},
};
let relay: Relay;

/** A stream begins with a snapshot and goes on with heartbeats; a network that does not answer only ever aborts. */
async function answer(url: string, init: RequestInit): Promise<Response> {
  const signal = init.signal as AbortSignal;
  network.asked.push({ url, lastId: new Headers(init.headers).get("last-event-id") });
  if (!network.answers)
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("gone", "AbortError")));
    });
  if (!network.knows) return Response.json({ type: "/problems/login-required" }, { status: 401 });
  if (!url.includes("/live")) return Response.json({ hosts: [HOST] });
  let beating: ReturnType<typeof setInterval>;
  const body = new ReadableStream({
    start(controller) {
      const send = (text: string) => controller.enqueue(new TextEncoder().encode(text));
      network.send = send;
      send(network.begin);
      beating = setInterval(() => network.answers && send(": heartbeat\n\n"), 2000);
      network.end = () => controller.close();
      signal.addEventListener("abort", () => {
        clearInterval(beating);
        controller.error(new DOMException("gone", "AbortError"));
      });
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

/** Lets time pass, and what waits for it happen. */
async function pass(seconds: number): Promise<void> {
  for (let step = 0; step < seconds * 4; step += 1) {
    mock.timers.tick(250);
    for (let turn = 0; turn < 4; turn += 1) await new Promise(setImmediate);
  }
}

function tab(): {
  here: (visible: boolean, ...details: string[]) => void;
  /** As `here`, of a tab that also shows these metrics of every host. */
  show: (...metrics: string[]) => void;
  /** Somebody has logged in. */
  back: () => void;
  heard: FromRelay[];
  state: () => StreamState;
} {
  const heard: FromRelay[] = [];
  const me = Symbol();
  const say = (visible: boolean, details: string[], metrics: string[]) =>
    relay.receive(me, { kind: "here", visible, details, metrics }, (message) => heard.push(message));
  const states = () => heard.filter((message) => message.kind === "state");
  return {
    heard,
    here: (visible, ...details) => say(visible, details, []),
    show: (...metrics) => say(true, [], metrics),
    back: () => relay.receive(me, { kind: "in" }, (message) => heard.push(message)),
    state: () => states().at(-1)?.state as StreamState,
  };
}

/** Lets streams begin with something else than a whole snapshot. */
function beginWith(text: string): void {
  relay.close();
  Object.assign(network, { begin: text, asked: [] });
  relay = createRelay();
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  mock.method(globalThis, "fetch", answer);
  Object.assign(globalThis, { addEventListener() {}, removeEventListener() {} });
  Object.assign(network, { answers: true, knows: true, asked: [], begin: portion(HOST) + COMPLETE });
  relay = createRelay();
});
afterEach(() => {
  relay.close();
  mock.timers.reset();
  mock.restoreAll();
});

test("a stream without a byte for five seconds is lost, and nobody knows how hosts are", async () => {
  const one = tab();
  one.here(true);
  await pass(3);
  assert.equal(one.state().kind, "live");
  network.answers = false;
  await pass(8);
  const state = one.state();
  assert.deepEqual([state.kind, state.kind === "lost" && state.fresh], ["lost", false]);
});

test("a page of another host is one more name, and the stream goes on after its last event", async () => {
  const one = tab();
  one.here(true);
  await pass(1);
  one.here(true, "web-1");
  await pass(1);
  const [first, second] = network.asked;
  assert.ok(!first?.url.includes("detail"));
  assert.ok(second?.url.includes("detail=web-1"));
  assert.deepEqual([first?.lastId, second?.lastId], [null, "e-1"]);
  assert.equal(network.asked.length, 2);
});

test("a tab that is opened in the background gets the fleet too", async () => {
  const one = tab();
  one.here(true);
  await pass(1);
  const other = tab();
  other.here(false);
  assert.ok(other.heard.some((message) => message.kind === "fleet"));
  assert.equal(network.asked.length, 1);
});

test("a tab that is opened while a snapshot comes gets all of it at its end", async () => {
  beginWith(portion(HOST));
  const one = tab();
  one.here(true);
  await pass(1);
  const other = tab();
  other.here(true);
  network.send(portion({ ...HOST, id: "web-2" }) + COMPLETE);
  await pass(1);
  const images = other.heard.filter((message) => message.kind === "fleet");
  assert.deepEqual(
    images.map(({ image }) => image.hosts.map(({ host }) => host.id)),
    [["web-1", "web-2"]],
  );
  assert.ok(!other.heard.some((message) => message.kind === "event" && message.name === "complete"));
  assert.ok(one.heard.some((message) => message.kind === "event" && message.name === "complete"));
});

test("a snapshot that was broken off is not gone on with", async () => {
  beginWith(portion(HOST));
  const one = tab();
  one.here(true);
  await pass(1);
  one.here(true, "web-1");
  await pass(1);
  assert.deepEqual(
    network.asked.map(({ lastId }) => lastId),
    [null, null],
  );
  const resyncs = one.heard.filter((message) => message.kind === "event" && message.name === "resync");
  assert.equal(resyncs.length, 1);
});

test("when nobody looks the stream is let go, and the fleet is fetched now and then", async () => {
  const one = tab();
  one.here(true);
  await pass(1);
  one.here(false);
  await pass(100);
  one.here(false);
  assert.equal(one.state().kind, "resting");
  const polls = network.asked.filter(({ url }) => !url.includes("/live")).length;
  assert.ok(polls >= 2 && polls <= 4, `${polls} in 70 s`);
});

test("whoever looks again while the gateway is silent is told so, and not for ever that it connects", async () => {
  const one = tab();
  one.here(true);
  await pass(1);
  one.here(false);
  await pass(40);
  assert.equal(one.state().kind, "resting");
  network.answers = false;
  one.here(true);
  await pass(8);
  assert.equal(one.state().kind, "lost");
});

test("more hosts than the gateway follows for one viewer are not asked for, those looked at are", async () => {
  const hidden = tab();
  hidden.here(false, ...Array.from({ length: 40 }, (_, at) => `a-${at}`));
  tab().here(true, "web-1");
  await pass(1);
  const detail = new URLSearchParams(network.asked.at(-1)?.url.split("?")[1]).get("detail")?.split(",") ?? [];
  assert.equal(detail.length, 32);
  assert.ok(detail.includes("web-1"));
});

test("a stream that ends with its session is asked for once more, and then not until somebody is logged in", async () => {
  const one = tab();
  one.here(true);
  await pass(2);
  network.knows = false;
  network.end();
  await pass(2);
  assert.equal(one.state().kind, "out");
  const asked = network.asked.length;
  await pass(60);
  assert.equal(network.asked.length, asked);
  network.knows = true;
  one.here(true);
  one.back();
  await pass(1);
  assert.equal(one.state().kind, "live");
  assert.equal(network.asked.at(-1)?.lastId, null);
});

test("a tab that comes while nobody is logged in gets nothing of what was known", async () => {
  const one = tab();
  one.here(true);
  await pass(2);
  network.knows = false;
  network.end();
  await pass(2);
  const other = tab();
  other.here(true);
  await pass(1);
  assert.deepEqual(new Set(other.heard.map((message) => message.kind)), new Set(["state"]));
  assert.equal(other.state().kind, "out");
});

test("a fetch that stands in for the stream and finds nobody logged in ends the asking too", async () => {
  const one = tab();
  one.here(true);
  await pass(1);
  one.here(false);
  await pass(40);
  assert.equal(one.state().kind, "resting");
  network.knows = false;
  await pass(35);
  one.here(false);
  assert.equal(one.state().kind, "out");
  const asked = network.asked.length;
  await pass(60);
  assert.equal(network.asked.length, asked);
});

test("a metric that a tab shows of every host is carried from a new snapshot on", async () => {
  const one = tab();
  one.here(true);
  await pass(1);
  assert.ok(!network.asked.at(-1)?.url.includes("disk.busy"));
  one.show("disk.busy");
  await pass(1);
  assert.equal(network.asked.length, 2);
  assert.ok(network.asked.at(-1)?.url.includes("cpu.total"));
  assert.ok(network.asked.at(-1)?.url.includes("disk.busy"));
  assert.equal(network.asked.at(-1)?.lastId, null);
});

test("a metric that no tab shows any more is no reason to connect anew", async () => {
  const one = tab();
  one.show("disk.busy");
  await pass(1);
  const before = network.asked.length;
  one.here(true);
  await pass(3);
  assert.equal(network.asked.length, before);
});
