import assert from "node:assert/strict";
import { test } from "node:test";
import { answerTo, isAway, isDashboard } from "./answers.ts";

const ORIGIN = "https://sonde.example";
const answer = (path: string, more: object = {}) =>
  answerTo({ method: "GET", mode: "cors", url: new URL(path, ORIGIN).href, ...more }, ORIGIN);

test("data are never touched, whoever asks for them and however", () => {
  for (const path of ["/api/v1/hosts", "/api/v1/live?metrics=cpu.total", "/health/ready", "/metrics", "/api"]) {
    assert.equal(answer(path), "network", path);
    assert.equal(answer(path, { mode: "navigate" }), "network", path);
  }
});

test("files whose name says what is in them are kept", () => {
  assert.equal(answer("/assets/index-abc.js"), "asset");
  assert.equal(answer("/service-worker.js"), "network");
  assert.equal(answer("/manifest.webmanifest"), "network");
});

test("a page is the gateway's as long as it answers", () => {
  assert.equal(answer("/hosts/web-1?range=1h", { mode: "navigate" }), "page");
  assert.equal(answer("/hosts/web-1"), "network");
});

test("a proxy that says the gateway is away is no answer, and what the gateway itself refuses is one", () => {
  assert.deepEqual([200, 404, 500, 502, 503, 504].map(isAway), [false, false, false, true, true, true]);
});

test("only a tab of the dashboard goes where a notification leads", () => {
  const open = ["/", "/hosts/web-1?range=1h", "/api", "/api/v1/hosts", "/metrics", "/apis"];
  assert.deepEqual(
    open.filter((path) => isDashboard(new URL(path, ORIGIN).href)),
    ["/", "/hosts/web-1?range=1h", "/apis"],
  );
});

test("what changes something, and what is elsewhere, passes", () => {
  assert.equal(answer("/assets/x.js", { method: "POST" }), "network");
  assert.equal(answerTo({ method: "GET", mode: "cors", url: "https://other.example/assets/x.js" }, ORIGIN), "network");
});
