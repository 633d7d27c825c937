import assert from "node:assert/strict";
import { test } from "node:test";
import type { Route } from "../api/types.gen.ts";
import { DAYTIME, draftOf, FRESH, faultsOf, isGroupedAsUsual, MOST_SPANS, routeOf } from "./route_draft.ts";

const NAMED = { ...FRESH, name: "Any" };

const route: Route = {
  ...routeOf(FRESH),
  id: "web",
  name: "Web",
  channels: ["ops"],
  position: 30,
  match: {
    hosts: ["web-*"],
    tags: ["prod", "web"],
    without_tags: ["test"],
    rules: [],
    instances: ["/srv*"],
    severity: "critical",
    about: "hosts",
  },
  hours: {
    spans: [{ days: ["mon"], start: "09:00", until: "17:00" }],
    kind: "working",
    zone: "Europe/Berlin",
    critical_passes: true,
  },
  escalation: { after_s: 600, channels: ["boss"], critical_only: true },
  repeat_s: 5400,
  group_by: "rule",
  group_wait_s: 1.5,
  group_interval_s: 30,
  storm_hosts: 50,
  tell_past: false,
  owner: "platform",
};

test("a route survives the way through the form, with all that it does not show", () => {
  assert.deepEqual(routeOf(draftOf(route)), route);
});

test("hosts and tags are separated by commas or spaces", () => {
  const made = routeOf({ ...FRESH, hosts: "web-1,  db-*", tags: "a b" });
  assert.deepEqual(
    [made.match.hosts, made.match.tags],
    [
      ["web-1", "db-*"],
      ["a", "b"],
    ],
  );
});

test("hours and an escalation are made of what is typed", () => {
  const made = routeOf({
    ...FRESH,
    hours: "working",
    spans: [DAYTIME],
    zone: " Europe/Berlin ",
    critical_passes: false,
    escalates: true,
    escalation_min: "7.5",
    escalation_channels: ["boss"],
  });
  assert.deepEqual(made.hours, { spans: [DAYTIME], kind: "working", zone: "Europe/Berlin", critical_passes: false });
  assert.deepEqual(made.escalation, { after_s: 450, channels: ["boss"], critical_only: false });
});

test("a reminder that is no number is refused, not saved as none", () => {
  assert.deepEqual(Object.keys(faultsOf({ ...NAMED, repeat_h: "four" })), ["repeat_s"]);
  assert.deepEqual(Object.keys(faultsOf({ ...NAMED, repeat_h: "" })), ["repeat_s"]);
  assert.deepEqual(faultsOf({ ...NAMED, repeat_h: "0" }), {});
});

test("hours need days and an escalation needs somebody to tell", () => {
  const draft = { ...NAMED, hours: "quiet" as const, spans: [{ ...DAYTIME, days: [] }], escalates: true };
  assert.deepEqual(Object.keys(faultsOf(draft)), ["hours.spans", "escalation.channels"]);
});

test("numbers out of their range are told the range", () => {
  const plain = (draft: object) => faultsOf({ ...NAMED, ...draft });
  assert.equal(plain({ group_wait_s: "3601" }).group_wait_s, "Type 0 to 3,600 seconds.");
  assert.equal(plain({ storm_hosts: "0" }).storm_hosts, "Type 1 to 100,000 hosts.");
  assert.equal(plain({ storm_hosts: "1.5" }).storm_hosts, "Type a whole number of hosts.");
  assert.match(plain({ repeat_h: "0.01" }).repeat_s ?? "", /^Type 0 for never/);
  assert.equal(plain({ repeat_h: "169" }).repeat_s, "Type 0 to 168 hours.");
  assert.deepEqual(plain({ repeat_h: "0" }), {});
});

test("more stretches than a route has room for are told before it is sent", () => {
  const spans = Array.from({ length: MOST_SPANS + 1 }, () => DAYTIME);
  assert.match(faultsOf({ ...NAMED, hours: "quiet", spans })["hours.spans"] ?? "", /^These are 21 stretches/);
});

test("a route in which nobody changed what is told in one message is grouped as usual", () => {
  assert.equal(isGroupedAsUsual(routeOf(FRESH)), true);
  assert.equal(isGroupedAsUsual(route), false);
});

test("a route has a name, and names hosts and rules by their ids", () => {
  assert.deepEqual(faultsOf({ ...FRESH, hosts: "Web 1", rules: "disk-*" }), {
    name: "Give the route a name.",
    "match.hosts": "“Web” is the id of no host: type ids such as web-1, or patterns such as web-*.",
  });
});
