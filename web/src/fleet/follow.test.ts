import assert from "node:assert/strict";
import { test } from "node:test";
import { signal } from "@preact/signals-core";
import type { Host } from "../api/types.gen.ts";
import { applyGone, applyHost, createStore, type Entry } from "../live/store.ts";
import { follow } from "./follow.ts";
import { parseGrouping } from "./grouping.ts";
import { parseSorts } from "./order.ts";
import { parseSearch, wordsOf } from "./search.ts";
import { type Standing, standing, summarise } from "./summary.ts";

const NO_ALERTS = { warning: 0, critical: 0 };

/** A host of the test's fleet as lists take it. */
const listedOf = new Map<Entry, ReturnType<typeof listed>>();
function listed(entry: Entry) {
  const made = {
    id: entry.id,
    name: entry.id,
    label: "",
    near: 0,
    get words() {
      return wordsOf([entry.id, ...entry.host.peek().tags]);
    },
    get tags() {
      return entry.host.peek().tags;
    },
    get muted() {
      return entry.host.peek().muted_until === "forever";
    },
    get standing() {
      return standing(entry.host.peek().state, NO_ALERTS, true);
    },
    get lastStanding() {
      return standing(entry.host.peek().state, NO_ALERTS, true);
    },
    summary: () => summarise(entry.latest, 1),
    sortValue: (by: string) =>
      by === "version" ? entry.host.peek().facts.agent_version : (entry.latest.cpu?.[""]?.total ?? null),
  };
  listedOf.set(entry, made);
  return made;
}

function fleetOf(asked: { q?: string; sort?: string; show?: Standing; group?: string }) {
  const store = createStore(90_000, (paint) => paint());
  const slow = signal(0);
  const followed = follow({
    store,
    listed: (entry) => listedOf.get(entry) ?? listed(entry),
    sorts: signal(parseSorts(asked.sort ?? "name")),
    search: signal(parseSearch(asked.q ?? "")),
    standing: signal(asked.show ?? null),
    grouping: signal(parseGrouping(asked.group ?? null)),
    changed: store.news,
    judged: signal(0),
    slow,
    look: () => {},
  });
  let seconds = 0;
  return {
    ...followed,
    slow,
    tell(id: string, change: Partial<Host> = {}, cpu = 0, version = "1") {
      seconds += 1;
      const host = {
        id,
        label: "",
        tags: [],
        state: "up",
        muted_until: null,
        facts: { agent_version: version },
        last_sample: seconds * 1000,
        latest: { cpu: { "": { total: cpu } } },
        ...change,
      };
      applyHost(store, host as unknown as Host);
    },
    remove: (host: string) => applyGone(store, { host }),
    ids: () => followed.shown.value.map(({ id }) => id),
  };
}

test("a host that is muted or tagged comes into a list of such hosts", () => {
  for (const [q, change] of [
    ["is:muted", { muted_until: "forever" }],
    ["tag:prod", { tags: ["prod"] }],
  ] as const) {
    const fleet = fleetOf({ q });
    fleet.tell("web-1");
    fleet.tell("web-2");
    assert.deepEqual(fleet.ids(), []);
    fleet.tell("web-2", change as Partial<Host>);
    assert.deepEqual(fleet.ids(), ["web-2"]);
  }
});

test("a host that is up again leaves the list of those that are late", () => {
  const fleet = fleetOf({ show: "late" });
  fleet.tell("web-1", { state: "late" });
  assert.deepEqual(fleet.ids(), ["web-1"]);
  fleet.tell("web-1");
  assert.deepEqual(fleet.ids(), []);
});

test("an order by facts follows them", () => {
  const fleet = fleetOf({ sort: "version" });
  fleet.tell("web-1", {}, 0, "2");
  fleet.tell("web-2", {}, 0, "3");
  assert.deepEqual(fleet.ids(), ["web-1", "web-2"]);
  fleet.tell("web-2", {}, 0, "1");
  assert.deepEqual(fleet.ids(), ["web-2", "web-1"]);
});

test("an order and a search by samples are looked at again in their own time, whatever else is told", () => {
  const sorted = fleetOf({ sort: "-cpu.total" });
  const found = fleetOf({ q: "cpu>50" });
  for (const fleet of [sorted, found]) {
    fleet.tell("web-1", {}, 60);
    fleet.tell("web-2", {}, 20);
  }
  assert.deepEqual([sorted.ids(), found.ids()], [["web-1", "web-2"], ["web-1"]]);
  for (const fleet of [sorted, found]) fleet.tell("web-2", {}, 90);
  assert.deepEqual([sorted.ids(), found.ids()], [["web-1", "web-2"], ["web-1"]]);
  for (const fleet of [sorted, found]) fleet.slow.value += 1;
  assert.deepEqual(
    [sorted.ids(), found.ids()],
    [
      ["web-2", "web-1"],
      ["web-1", "web-2"],
    ],
  );
});

test("tags are counted as they are now", () => {
  const fleet = fleetOf({});
  fleet.tell("web-1", { tags: ["prod"] });
  fleet.tell("web-2");
  assert.deepEqual([...fleet.tagCounts.value], [["prod", 1]]);
  fleet.tell("web-2", { tags: ["prod", "eu"] });
  assert.deepEqual(
    [...fleet.tagCounts.value],
    [
      ["prod", 2],
      ["eu", 1],
    ],
  );
  fleet.remove("web-2");
  assert.deepEqual([...fleet.tagCounts.value], [["prod", 1]]);
});

test("a host that changes its tags changes its group", () => {
  const fleet = fleetOf({ group: "tag" });
  const groups = () => fleet.groups.value.map(({ name, hosts }) => [name, hosts.map(({ id }) => id).join()]);
  fleet.tell("web-1", { tags: ["prod"] });
  fleet.tell("web-2", { tags: ["test"] });
  assert.deepEqual(groups(), [
    ["prod", "web-1"],
    ["test", "web-2"],
  ]);
  const [prod] = fleet.groups.value;
  fleet.tell("web-2");
  assert.deepEqual(groups(), [
    ["prod", "web-1"],
    ["", "web-2"],
  ]);
  assert.equal(fleet.groups.value[0], prod, "the other group has not moved");
});

test("news that change nothing in a list move nothing that follows it", () => {
  const fleet = fleetOf({ sort: "version", group: "tag" });
  fleet.tell("web-1", { tags: ["prod"] });
  const before = [fleet.byName.value, fleet.shown.value, fleet.groups.value, fleet.tagCounts.value];
  fleet.tell("web-1", { tags: ["prod"], muted_until: "forever" });
  const after = [fleet.byName.value, fleet.shown.value, fleet.groups.value, fleet.tagCounts.value];
  for (const [at, one] of after.entries()) assert.equal(one, before[at]);
});
