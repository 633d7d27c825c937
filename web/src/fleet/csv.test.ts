import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../api/types.gen.ts";
import { csvOf, exported, fileName } from "./csv.ts";

const host = (change: Partial<Host> = {}, os = "Debian 13"): Host =>
  ({
    id: "web-1",
    label: "",
    state: "up",
    tags: ["prod", "web"],
    facts: { os, cores: 8, agent_version: "1.2" },
    last_sample: 0,
    latest: { cpu: { "": { total: 12.5 } }, disk: { sda: { busy: 3 }, sdb: { busy: 40 } } },
    ...change,
  }) as Host;
const line = (one: Host, ...shown: string[]) => csvOf([one], exported(shown)).split("\r\n");

test("a host is a line, its values under headings with their units", () => {
  const [heads, values, end] = line(host());
  assert.ok(heads?.startsWith("id,label,state,tags,last_sample,os,cores,agent_version,cpu.total %,cpu.load1,"));
  assert.ok(values?.startsWith("web-1,,up,prod web,1970-01-01T00:00:00.000Z,Debian 13,8,1.2,12.5,,"));
  assert.equal(end, "");
});

test("what the table shows besides the overview is exported too, and nothing twice", () => {
  const heads = line(host(), "cpu.total", "cpu.steal")[0]?.split(",") ?? [];
  assert.equal(heads.filter((head) => head === "cpu.total %").length, 1);
  assert.equal(heads.at(-1), "cpu.steal %");
});

test("of several instances the largest is exported", () => {
  const [heads, values] = line(host()).map((one) => one.split(","));
  assert.equal(values?.[heads?.indexOf("disk.busy %") ?? 0], "40");
});

test("a file is called after the minute it is of", () => {
  assert.equal(fileName(Date.UTC(2026, 10, 23, 12, 5, 59)), "hosts-2026-11-23T1205Z.csv");
});

test("commas and quotes stay within their field", () => {
  assert.ok(line(host({ label: 'the "shop", front' }))[1]?.startsWith('web-1,"the ""shop"", front",up'));
});

test("what a host says of itself is no formula", () => {
  assert.ok(line(host({}, "=1+1"))[1]?.includes(",'=1+1,"));
});
