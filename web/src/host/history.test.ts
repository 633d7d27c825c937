import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { SeriesAnswer } from "../api/types.gen.ts";
import { liveWindow, parseWindow, type Window } from "../charts/window.ts";
import { type History, openHistory } from "./history.ts";

const HOUR_MS = 3_600_000;
const NOW = 1_790_000_000_000;

/** A history whose answers come at once, and what it asks for, by the first metric. */
function opened(step_ms = 1000): {
  history: History;
  asked: string[];
  show: (window: Window, polled?: boolean) => void;
} {
  const asked: string[] = [];
  const history = openHistory(async (query) => {
    asked.push(query.get("metrics") ?? "");
    const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
    return { host: "web-1", from, to, resolution: "raw", step_ms, times: [], series: [] } satisfies SeriesAnswer;
  });
  for (const name of ["cpu", "memory"]) history.of(name, [name]);
  const show = (window: Window, polled = false) =>
    history.show({ window, points: 600, polled, edge: () => NOW, now: () => NOW });
  return { history, asked, show };
}

test("only what somebody looks at is asked for", async () => {
  const { history, asked, show } = opened();
  history.watch("cpu");
  show(liveWindow("15m"));
  await setImmediate();
  assert.deepEqual(asked, ["cpu"]);
});

test("what comes onto the screen later is asked for then", async () => {
  const { history, asked, show } = opened();
  show(liveWindow("15m"));
  history.watch("memory");
  await setImmediate();
  assert.deepEqual(asked, ["memory"]);
});

test("a live range is asked for again when it is due, and not before", async () => {
  const { history, asked, show } = opened();
  history.watch("cpu");
  show(liveWindow("15m"));
  await setImmediate();
  history.tick(NOW + 239_000);
  assert.equal(asked.length, 1);
  history.tick(NOW + 240_000);
  history.tick(NOW + 241_000);
  assert.equal(asked.length, 2, "not again while the answer is on its way");
});

test("what is due while nobody looks is asked for when somebody does", async () => {
  const { history, asked, show } = opened();
  const release = history.watch("cpu");
  show(liveWindow("15m"));
  await setImmediate();
  release();
  history.tick(NOW + HOUR_MS);
  assert.equal(asked.length, 1);
  history.watch("cpu");
  assert.equal(asked.length, 2);
});

test("a range that is over is not asked for again", async () => {
  const { history, asked, show } = opened();
  history.watch("cpu");
  show(parseWindow(new URLSearchParams({ from: String(NOW - 2 * HOUR_MS), to: String(NOW - HOUR_MS) })));
  await setImmediate();
  history.tick(NOW + 100 * HOUR_MS);
  assert.equal(asked.length, 1);
});

test("without a stream an answer does not tell of the last seconds, which are stored only later", async () => {
  const { history, show } = opened();
  history.watch("cpu");
  show(liveWindow("15m"), true);
  await setImmediate();
  assert.equal(history.of("cpu", ["cpu"]).value.value?.known.to, NOW - 20_000);
  show(liveWindow("15m"), false);
  await setImmediate();
  assert.equal(history.of("cpu", ["cpu"]).value.value?.known.to, NOW);
});

test("what was missed is asked for at once where somebody looks, elsewhere when somebody does", async () => {
  const { history, asked, show } = opened();
  history.watch("cpu");
  const release = history.watch("memory");
  show(liveWindow("15m"));
  await setImmediate();
  release();
  asked.length = 0;
  history.refresh();
  assert.deepEqual(asked, ["cpu"]);
  history.watch("memory");
  assert.deepEqual(asked, ["cpu", "memory"]);
});
