import assert from "node:assert/strict";
import { test } from "node:test";
import { metricOf, unitOf } from "../api/catalogue.ts";
import { metricsOf } from "../charts/spec.ts";
import { CHARTS, CORE_FAMILIES, chartsFor, metricsIn, metricsOfFamily, metricsStored } from "./charts.ts";

const ids = (metrics: Iterable<string>) => chartsFor(new Set(metrics)).map((spec) => spec.id);

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

test("every family asked for without knowing better has charts", () => {
  for (const family of CORE_FAMILIES) assert.ok(metricsOfFamily(family).length > 0, family);
});
