import assert from "node:assert/strict";
import { test } from "node:test";
import type { FleetColumn, FleetSeriesAnswer } from "../api/types.gen.ts";
import { answered, behindOf, choose, largestOf, moved } from "./lines.ts";

const column = (
  host: string,
  instance: string,
  values: (number | null)[],
  rank: number | null = null,
): FleetColumn => ({
  host,
  instance,
  rank,
  avg: values,
  min: values,
  max: values,
});

const answer = (series: FleetColumn[], from = 0, step_ms = 1000): FleetSeriesAnswer => {
  const count = series[0]?.avg.length ?? 0;
  const times = Array.from({ length: count }, (_, at) => from + at * step_ms);
  const to = from + count * step_ms;
  return {
    metric: "filesystem.used_percent",
    unit: "%",
    from,
    to,
    resolution: "raw",
    step_ms,
    by: null,
    considered: series.length,
    times,
    series,
  };
};

test("one host's instances are called by their own names, several hosts' by both", () => {
  const names = (series: FleetColumn[]) => choose(answer(series), [], 12).lines.map((line) => line.name);
  assert.deepEqual(names([column("a", "/", [1]), column("a", "/data", [2])]), ["/", "/data"]);
  assert.deepEqual(names([column("a", "/", [1]), column("b", "/", [2])]), ["a /", "b /"]);
  assert.deepEqual(names([column("a", "", [1]), column("b", "", [2])]), ["a", "b"]);
});

test("of too many lines the largest stay, and the others are counted", () => {
  const { lines, more } = choose(answer([column("a", "", [1]), column("b", "", [9]), column("c", "", [null])]), [], 2);
  assert.deepEqual([lines.map((line) => line.host), more], [["b", "a"], 1]);
});

test("of those that lead their rank counts", () => {
  const ranked = answer([column("a", "", [9], 1), column("b", "", [1], 9)]);
  assert.deepEqual(
    choose(ranked, [], 1).lines.map((line) => line.host),
    ["b"],
  );
});

test("instances that are asked for are shown alone, unless nobody has them", () => {
  const all = answer([column("a", "/", [1]), column("a", "/data", [2])]);
  assert.deepEqual(
    choose(all, ["/data"], 12).lines.map((line) => line.instance),
    ["/data"],
  );
  assert.equal(choose(all, ["eth0"], 12).lines.length, 2);
  assert.deepEqual(choose(all, ["/data"], 12).instances, ["/", "/data"]);
});

test("what was before is moved onto the same times, also where its steps are longer or shorter", () => {
  const before = (times: number[], step_ms: number) => ({ times, step_ms });
  assert.deepEqual(moved([1, 2], before([0, 1000], 1000), 5000, [5000, 6000, 7000], 1000), [1, 2, null]);
  assert.deepEqual(moved([1, 2], before([0, 2000], 2000), 0, [0, 1000, 2000, 3000], 1000), [1, 1, 2, 2]);
  assert.deepEqual(moved([1, 3, null, 5], before([0, 500, 1000, 1500], 500), 0, [0, 1000], 1000), [2, 5]);
  assert.deepEqual(moved([1], before([2000], 1000), 0, [0, 2000], 1000), [null, 1]);
});

test("what was before goes on where the present ends", () => {
  const today = answer([column("a", "", [1, 2])], 10_000);
  const yesterday = answer([column("a", "", [3, 4, 5, 6])], 0);
  const { lines } = choose(today, [], 12);
  const { times, series } = answered(today, yesterday, lines, 10_000);
  assert.deepEqual(times, [10_000, 11_000, 12_000, 13_000]);
  assert.deepEqual(
    series.map((one) => [one.metric, one.avg]),
    [
      [today.metric, [1, 2]],
      [behindOf(today.metric), [3, 4, 5, 6]],
    ],
  );
});

test("the scale that all share reaches the largest of all, and there is none below zero", () => {
  const share = (values: (number | null)[]) => {
    const of = answer([column("a", "", [1]), column("b", "", values)]);
    return largestOf(answered(of, null, choose(of, [], 12).lines, 0));
  };
  assert.equal(share([7]), 7);
  assert.equal(share([-7]), null);
});
