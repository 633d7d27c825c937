import assert from "node:assert/strict";
import { test } from "node:test";
import type { FleetColumn, FleetSeriesAnswer } from "../api/types.gen.ts";
import { Ring } from "../charts/ring.ts";
import { parseAsked } from "./asked.ts";
import { answered, behindOf, choose, extentOf, moved, namesOf, togetherAt } from "./lines.ts";

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

const asked = (text = "hosts=a,b") => parseAsked(new URLSearchParams(text));

test("one host's instances are called by their own names, several hosts' by both", () => {
  const names = (series: FleetColumn[]) => choose(answer(series), asked()).lines.map((line) => line.name);
  assert.deepEqual(names([column("a", "/", [1]), column("a", "/data", [2])]), ["/", "/data"]);
  assert.deepEqual(names([column("a", "/", [1]), column("b", "/", [2])]), ["a /", "b /"]);
  assert.deepEqual(names([column("a", "", [1]), column("b", "", [2])]), ["a", "b"]);
});

test("of too many lines the largest stay, and the others are counted", () => {
  const many = Array.from({ length: 14 }, (_, at) => column(`h-${at}`, "", at === 0 ? [null] : [at]));
  const { lines, more } = choose(answer(many), asked());
  assert.deepEqual([lines.length, lines[0]?.host, lines.at(-1)?.host, more], [12, "h-13", "h-2", 2]);
});

test("lines that a full answer left out are counted too", () => {
  const many = Array.from({ length: 100 }, (_, at) => column(`h-${at % 12}`, `/${at}`, [at]));
  assert.equal(choose({ series: many, considered: 300 }, asked()).more, 288);
});

test("of those that lead as many as were asked for are drawn, by their rank, and no others are missed", () => {
  const ranked = answer([
    column("a", "", [9], 1),
    column("b", "", [1], 9),
    column("c", "", [5], 5),
    column("d", "", [4], 4),
  ]);
  const { lines, more } = choose(ranked, asked("top=3"));
  assert.deepEqual([lines.map((line) => line.host), more], [["b", "c", "d"], 0]);
});

test("instances that are asked for are shown alone, unless nobody has them", () => {
  const all = answer([column("a", "/", [1]), column("a", "/data", [2])]);
  assert.deepEqual(
    choose(all, asked("hosts=a&of=/data")).lines.map((line) => line.instance),
    ["/data"],
  );
  assert.equal(choose(all, asked("hosts=a&of=eth0")).lines.length, 2);
});

test("hosts are called by their labels, and by their ids besides where two share one", () => {
  const labels: Record<string, string> = { a: "Database", b: "Database", c: "Web", d: "e" };
  const names = namesOf(["a", "b", "c", "d", "e"], (host) => labels[host] ?? "");
  assert.deepEqual([...names.values()], ["Database (a)", "Database (b)", "Web", "e (d)", "e"]);
  const { lines } = choose(answer([column("a", "/", [1]), column("c", "/", [1])]), asked("hosts=a,c"), names);
  assert.deepEqual(
    lines.map((line) => line.name),
    ["Database (a) /", "Web /"],
  );
});

test("charts of several hosts end where all have samples, but wait for none that is far behind", () => {
  assert.equal(togetherAt([50_000, 48_000]), 48_000);
  assert.equal(togetherAt([50_000, 20_000]), 50_000);
  assert.equal(togetherAt([]), null);
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
  const { lines } = choose(today, asked());
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

const extent = (rings: Ring[], from = 0, to = 10_000) => {
  const of = answer([column("a", "", [1, 2]), column("b", "", [7, -3])]);
  return extentOf(answered(of, null, choose(of, asked()).lines, 0), rings, from, to);
};

test("the scale that all share reaches the largest of all and the smallest, also below zero", () => {
  assert.deepEqual(extent([]), { low: -3, high: 7 });
});

test("the scale that all share follows live samples past all that is stored", () => {
  const ring = new Ring(60_000);
  ring.push(3000, 40);
  assert.deepEqual(extent([ring]), { low: -3, high: 40 });
});

test("the scale that all share forgets what has left the window, and knows nothing beyond it", () => {
  const ring = new Ring(60_000);
  ring.push(3000, 40);
  ring.push(20_000, 50);
  assert.deepEqual(extent([ring], 6000, 16_000), { low: 0, high: 0 });
});
