import assert from "node:assert/strict";
import { test } from "node:test";
import type { IncidentDetail, Mark } from "../api/types.gen.ts";
import { around, hostHref, storyOf } from "./story.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test("half of an incident is shown before and after it, at least half an hour", () => {
  assert.deepEqual(around(10 * HOUR, 11 * HOUR, 100 * HOUR), { from: 9.5 * HOUR, to: 11.5 * HOUR });
  assert.deepEqual(around(10 * HOUR, 14 * HOUR, 100 * HOUR), { from: 8 * HOUR, to: 16 * HOUR });
});

test("nothing is shown of the time to come", () => {
  assert.deepEqual(around(10 * HOUR, null, 10.25 * HOUR), { from: 9.5 * HOUR, to: 10.25 * HOUR });
});

test("a link to the host shows what was before and after, and nothing of the time to come", () => {
  const minutes = (from: number, to: number) => `/hosts/web-1?from=${from * MINUTE}&to=${to * MINUTE}`;
  assert.equal(hostHref({ host: "web-1", opened: 3600, closed: 3660 }, 100 * HOUR), minutes(50, 71));
  assert.equal(hostHref({ host: "web-1", opened: 3600, closed: null }, 61 * MINUTE), minutes(50, 61));
});

test("an incident of days shows no more than half a day before it", () => {
  assert.equal(around(100 * HOUR, null, 300 * HOUR).from, 88 * HOUR);
});

test("an incident is a stretch, its steps are moments, and what else happened stands beside them", () => {
  const detail = {
    incident: { opened: 100, closed: null, worst: "critical", rule_name: "CPU busy" },
    steps: [
      { at: 100, kind: "fired", text: "", channel: "", by: "" },
      { at: 110, kind: "sent", text: "", channel: "ops", by: "" },
      { at: 120, kind: "acknowledged", text: "", channel: "", by: "ada" },
    ],
  } as unknown as IncidentDetail;
  const reboot = { time: 90_000, end: null, kind: "reboot", title: "Rebooted" } as Mark;
  const alert = { time: 100_000, end: null, kind: "alert", title: "CPU busy" } as Mark;
  assert.deepEqual(
    storyOf(detail, [reboot, alert], 200_000).map(({ time, end, title }) => [time, end, title]),
    [
      [100_000, 200_000, "CPU busy"],
      [110_000, 110_000, "Told: ops"],
      [120_000, 120_000, "Acknowledged: ada"],
      [90_000, null, "Rebooted"],
    ],
  );
});
