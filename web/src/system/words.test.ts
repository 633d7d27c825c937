import assert from "node:assert/strict";
import { test } from "node:test";
import type { Heartbeat, Host } from "../api/types.gen.ts";
import { measures, versionsOf } from "./words.ts";

const host = (id: string, agent_version: string, more: Partial<Host> = {}): Host =>
  ({ id, state: "up", update: "current", facts: { agent_version }, ...more }) as Host;

test("versions are numbers: 0.10 is newer than 0.9, and what nobody told comes last", () => {
  const found = versionsOf([host("a", ""), host("b", "0.9.0", { update: "other" }), host("c", "0.10.0")]);
  assert.deepEqual(
    found.map(({ version, outdated }) => [version, outdated]),
    [
      ["0.10.0", false],
      ["0.9.0", true],
      ["", false],
    ],
  );
});

test("hosts of one version stand together, and archived ones have no agent", () => {
  const found = versionsOf([host("a", "1"), host("b", "1"), host("c", "1", { state: "archived" })]);
  assert.deepEqual(found, [{ version: "1", hosts: ["a", "b"], outdated: false }]);
});

test("a service is told by what concerns it alone", () => {
  const work = { lag_s: 0.25, behind: { metrics: 3, backfill: 4 }, last_run: null, viewers: null, told_s: null };
  const beat = { standby: false, work, errors_last_minute: 0, uptime_s: 7200, time: 0 } as unknown as Heartbeat;
  assert.deepEqual(measures(beat), [
    ["Lag", "250\u00a0ms"],
    ["Waiting", "7 messages"],
    ["Errors in 1 min", "0"],
    ["Up", "2\u00a0h"],
  ]);
});
