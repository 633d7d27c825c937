import assert from "node:assert/strict";
import { test } from "node:test";
import { cpu, host } from "./builders.ts";
import { createKnown } from "./known.ts";
import type { FromRelay } from "./messages.ts";
import { createTabs } from "./tabs.ts";

/** A relay's knowledge of a fleet of one host, and a tab that looks at it. */
function looking() {
  const tabs = createTabs();
  const known = createKnown(tabs);
  const take = (name: string, data: object, now: number) => known.take(name, data, JSON.stringify(data), now);
  const heard: FromRelay[] = [];
  take("snapshot", { time: 0, hosts: [host("a")], history: {} }, 0);
  take("complete", { time: 0 }, 0);
  const here = (visible: boolean) => {
    const said = { kind: "here" as const, visible, details: [], metrics: [] };
    const { client, before } = tabs.note("tab", said, (one) => heard.push(one), false);
    known.show(client, before);
  };
  here(true);
  heard.length = 0;
  return {
    heard,
    here,
    /** A sample a second, told in that second. */
    frame: (second: number) =>
      take("frame", { time: second * 1000, samples: [cpu("a", second * 1000, second)] }, second * 1000),
    /** Seconds of the frames that the tab was told. */
    frames: () =>
      heard.flatMap((one) => (one.kind === "event" && one.name === "frame" ? [JSON.parse(one.text).time / 1000] : [])),
  };
}

test("a tab that was hidden for seconds is told the frames that it missed, and each once", () => {
  const tab = looking();
  tab.frame(1);
  tab.here(false);
  tab.here(false);
  tab.frame(2);
  tab.frame(3);
  assert.deepEqual(tab.frames(), [1]);
  tab.here(true);
  tab.frame(4);
  assert.deepEqual(tab.frames(), [1, 2, 3, 4]);
  assert.ok(tab.heard.every(({ kind }) => kind === "event"));
});

test("a tab that missed nothing while it was hidden is told nothing", () => {
  const tab = looking();
  tab.frame(1);
  tab.here(false);
  tab.here(true);
  assert.deepEqual(tab.frames(), [1]);
  assert.equal(tab.heard.length, 1);
});

test("a tab that was hidden for longer gets all that is known", () => {
  const tab = looking();
  tab.here(false);
  for (let second = 1; second <= 20; second += 1) tab.frame(second);
  tab.here(true);
  assert.deepEqual(
    tab.heard.map((one) => (one.kind === "fleet" ? one.image.hosts[0]?.lastSample : one.kind)),
    [20_000],
  );
});
