import assert from "node:assert/strict";
import { test } from "node:test";
import { signal } from "@preact/signals-core";
import type { FleetColumn, FleetSeriesAnswer } from "../api/types.gen.ts";
import { liveWindow } from "../charts/window.ts";
import { parseAsked } from "./asked.ts";
import { openSeries } from "./data.ts";

const HOUR_MS = 3_600_000;
/** How long ago the last sample was. */
const LATE_MS = 8000;

/** A store in which every host has these instances of every metric that has any; `small` are in no answer for all. */
function opened(instances: readonly string[] = ["/", "/data"], considered = 0, small: readonly string[] = []) {
  const clock = signal(100 * HOUR_MS);
  const asked: URLSearchParams[] = [];
  const series = openSeries(
    clock,
    () => clock.peek() - LATE_MS,
    async (query) => {
      asked.push(query);
      return answerTo(query, query.has("instance") ? [...instances, ...small] : instances, considered);
    },
  );
  const show = (text: string) =>
    series.show({
      asked: parseAsked(new URLSearchParams(text)),
      window: liveWindow("15m"),
      points: 300,
      polled: false,
    });
  /** The queries since the last call, when all is answered. */
  const queries = async (): Promise<URLSearchParams[]> => {
    await new Promise(setImmediate);
    return asked.splice(0);
  };
  return { clock, series, show, queries };
}

function answerTo(query: URLSearchParams, instances: readonly string[], considered: number): FleetSeriesAnswer {
  const metric = query.get("metric") ?? "";
  const only = query.get("instance");
  const hosts = query.get("hosts")?.split(",") ?? ["lead-1", "lead-2"];
  const several = metric.startsWith("filesystem.");
  const found = several ? instances.filter((one) => only === null || one === only) : [""];
  const series = hosts.flatMap((host) => found.map((instance) => columnOf(host, instance)));
  const from = Number(query.get("from"));
  return {
    metric,
    unit: "%",
    from,
    to: Number(query.get("to")),
    resolution: "raw",
    step_ms: 3000,
    by: null,
    considered: only === null ? Math.max(considered, series.length) : series.length,
    times: [from],
    series,
  };
}

const columnOf = (host: string, instance: string): FleetColumn => ({
  host,
  instance,
  rank: null,
  avg: [1],
  min: [1],
  max: [1],
});

const told = (queries: readonly URLSearchParams[], name: string) => queries.map((query) => query.get(name));

test("a metric that is taken out of a comparison is not asked for any more", async () => {
  const { clock, series, show, queries } = opened();
  show("metrics=cpu.total,cpu.load1");
  await queries();
  show("metrics=cpu.total");
  assert.deepEqual(await queries(), []);
  clock.value += HOUR_MS;
  assert.deepEqual(told(await queries(), "metric"), ["cpu.total"]);
  series.close();
});

test("a metric that is added does not have the others asked for again", async () => {
  const { show, queries } = opened();
  show("hosts=a&metrics=cpu.total");
  await queries();
  show("hosts=a&metrics=cpu.total,cpu.load1");
  assert.deepEqual(told(await queries(), "metric"), ["cpu.load1"]);
});

test("how charts are laid out is nothing to ask for", async () => {
  const { show, queries } = opened();
  show("metrics=cpu.total");
  await queries();
  show("metrics=cpu.total&layout=each");
  assert.deepEqual(await queries(), []);
});

test("while the clock stands still nothing is asked for, and once it has moved on everything that is out of date", async () => {
  const { clock, show, queries } = opened();
  show("hosts=a&metrics=cpu.total");
  await queries();
  assert.deepEqual(await queries(), []);
  clock.value += 10 * 60_000;
  assert.deepEqual(told(await queries(), "to"), [String(clock.peek())]);
});

test("an answer tells of all up to now, from where the stream goes on, however late the last sample is", async () => {
  const { clock, series, show, queries } = opened();
  show("hosts=a&metrics=cpu.total");
  await queries();
  const known = series.of("cpu.total").peek().value?.known;
  assert.deepEqual(known, { from: clock.peek() - LATE_MS - 15 * 60_000, to: clock.peek() });
});

test("who leads is asked for twice a minute", async () => {
  const { clock, show, queries } = opened();
  show("");
  await queries();
  clock.value += 29_000;
  assert.equal((await queries()).length, 0);
  clock.value += 1000;
  assert.equal((await queries()).length, 1);
});

test("what was missed is asked for again", async () => {
  const { series, show, queries } = opened();
  show("hosts=a&metrics=cpu.total");
  await queries();
  series.refresh();
  assert.equal((await queries()).length, 1);
});

test("once there is nothing to show nothing is asked for", async () => {
  const { clock, series, show, queries } = opened();
  show("hosts=a");
  await queries();
  series.show(null);
  clock.value += HOUR_MS;
  assert.deepEqual(await queries(), []);
});

test("what is behind is asked for of the hosts that lead", async () => {
  const { series, show, queries } = opened();
  show("behind=day");
  assert.deepEqual(told(await queries(), "hosts"), [null, "lead-1,lead-2"]);
  const loaded = series.of("cpu.total").peek().value;
  assert.equal(loaded?.shift_ms, 24 * HOUR_MS);
  assert.equal(loaded?.before?.from, (loaded?.answer.from ?? 0) - 24 * HOUR_MS);
});

const MOUNTS = "metrics=filesystem.used_percent";

test("once an instance is chosen the others can still be chosen", async () => {
  for (const who of ["hosts=a,b&", ""]) {
    const { series, show, queries } = opened();
    show(`${who}${MOUNTS}`);
    await queries();
    show(`${who}${MOUNTS}&of=/data`);
    await queries();
    assert.deepEqual(series.of("filesystem.used_percent").peek().value?.instances, ["/", "/data"]);
  }
});

test("an address with a chosen instance offers the others too", async () => {
  const { series, show, queries } = opened();
  show(`${MOUNTS}&of=/data`);
  await queries();
  const loaded = series.of("filesystem.used_percent").peek().value;
  assert.deepEqual(loaded?.instances, ["/", "/data"]);
  assert.deepEqual([...new Set(loaded?.answer.series.map((column) => column.instance))], ["/data"]);
});

test("of those that lead in some instances each is asked for by itself", async () => {
  const { show, queries } = opened();
  show(MOUNTS);
  await queries();
  show(`${MOUNTS}&of=/data&of=/`);
  assert.deepEqual(told(await queries(), "instance"), ["/data", "/"]);
});

test("of more lines than an answer has the chosen instances are asked for by themselves", async () => {
  const { series, show, queries } = opened(["/", "/data"], 300);
  show(`hosts=a,b&${MOUNTS}&of=/data`);
  assert.deepEqual(told(await queries(), "instance"), [null, "/data"]);
  const columns = series.of("filesystem.used_percent").peek().value?.answer.series ?? [];
  assert.deepEqual(
    columns.map(({ host, instance }) => `${host} ${instance}`),
    ["a /data", "b /data"],
  );
});

test("a chosen instance that a full answer left out is known of", async () => {
  const { series, show, queries } = opened(["/"], 300, ["/data"]);
  show(`hosts=a,b&${MOUNTS}&of=/data`);
  await queries();
  assert.deepEqual(series.of("filesystem.used_percent").peek().value?.instances, ["/", "/data"]);
});

test("an instance that none of those that lead has leaves them all to be shown", async () => {
  const { series, show, queries } = opened();
  show(MOUNTS);
  await queries();
  show(`${MOUNTS}&of=eth0`);
  assert.deepEqual(told(await queries(), "instance"), ["eth0", null]);
  assert.equal(series.of("filesystem.used_percent").peek().value?.answer.series.length, 4);
});

test("an instance is nothing to ask a metric for that has none", async () => {
  const { show, queries } = opened();
  show("hosts=a&metrics=cpu.total");
  await queries();
  show("hosts=a&metrics=cpu.total&of=/data");
  assert.deepEqual(await queries(), []);
});
