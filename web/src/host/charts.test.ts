import assert from "node:assert/strict";
import { test } from "node:test";
import { CATALOGUE, metricOf, unitOf } from "../api/catalogue.ts";
import { metricsOf } from "../charts/spec.ts";
import { CHARTS, chartsFor, familiesIn, metricsIn, metricsStored, requestOf } from "./charts.ts";

const ids = (metrics: Iterable<string>, family: string | null = null, custom: string[] = []) =>
  chartsFor(new Set(metrics), family, custom).map((spec) => spec.id);
const EVERYTHING = CATALOGUE.flatMap(({ name, metrics }) => metrics.map((metric) => `${name}.${metric.name}`));

test("a host shows only charts it has values for", () => {
  const latest = {
    cpu: { "": { total: 5, load1: null } },
    gpu: {},
    filesystem: { "/": { used_percent: 4, inodes_percent: null } },
  };
  assert.deepEqual(ids(metricsIn(latest)), ["cpu", "space"]);
});

test("what is only stored is shown too", () => {
  const column = { instance: "", unit: "%", min: [], max: [] };
  const answer = {
    host: "web-1",
    from: 0,
    to: 2,
    resolution: "raw" as const,
    step_ms: 1,
    times: [0, 1],
    series: [
      { ...column, metric: "cpu.user", avg: [null, 3] },
      { ...column, metric: "cpu.load1", avg: [null, null] },
    ],
  };
  assert.deepEqual(ids(metricsStored(answer)), ["cpu"]);
});

test("the catalogue knows every metric of every chart, and one unit for all of a chart", () => {
  for (const spec of CHARTS) {
    const parts = spec.parts.map((part) => part.metric);
    assert.ok(
      metricsOf(spec).every((path) => metricOf(path)),
      spec.id,
    );
    assert.equal(new Set(parts.map(unitOf)).size, 1, spec.id);
  }
});

test("the view of a family draws every metric of it that the host has", () => {
  for (const { name, metrics } of CATALOGUE.filter((family) => family.name !== "custom")) {
    const drawn = new Set(chartsFor(new Set(EVERYTHING), name, []).flatMap(metricsOf));
    for (const metric of metrics) assert.ok(drawn.has(`${name}.${metric.name}`), `${name}.${metric.name}`);
  }
});

test("no two charts have one name", () => {
  for (const family of [null, ...CATALOGUE.map(({ name }) => name)]) {
    const found = ids(EVERYTHING, family, ["jobs", 'jobs{queue="a"}']);
    assert.equal(new Set(found).size, found.length, String(family));
  }
});

test("the overview is about the machine, not about its agent", () => {
  assert.ok(ids(EVERYTHING).includes("container-cpu"));
  assert.ok(!ids(EVERYTHING).some((id) => id.startsWith("agent")));
  assert.ok(ids(EVERYTHING, "agent").includes("agent-spool"));
});

test("what other programs told has a chart a name", () => {
  const instances = ["jobs", 'requests{code="200"}', 'requests{code="500"}'];
  assert.deepEqual(ids([], null, instances), ["custom-jobs", "custom-requests"]);
});

test("families stand in the order in which they are asked for, and those without values do not", () => {
  assert.deepEqual(familiesIn(["sensors.fan", "memory", "cpu.total", "cpu", "agent.cpu", ""]), [
    "cpu",
    "memory",
    "sensors",
  ]);
});

test("charts of many instances are fetched one by one, the others of a family together", () => {
  const names = chartsFor(new Set(EVERYTHING), null, ["a", "b"]).map((spec) => requestOf(spec, false).name);
  assert.equal(names.filter((name) => name === "cpu.").length, 2);
  assert.equal(names.filter((name) => name === "custom.").length, 2);
  assert.ok(names.includes("container-memory"));
});

test("one request always asks for the same, and for all that its charts draw", () => {
  for (const family of [null, "cpu", "memory", "container", "custom"]) {
    const asked = new Map<string, string>();
    for (const spec of chartsFor(new Set(EVERYTHING), family, ["a", "b"])) {
      const { name, metrics } = requestOf(spec, family !== null);
      assert.equal(asked.get(name) ?? metrics.join(), metrics.join(), name);
      assert.ok(
        metricsOf(spec).every((path) => metrics.includes(path)),
        spec.id,
      );
      asked.set(name, metrics.join());
    }
  }
});
