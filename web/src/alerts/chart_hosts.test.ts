import assert from "node:assert/strict";
import { test } from "node:test";
import type { Override, Rule } from "../api/types.gen.ts";
import { exceptionFor, hostsToShow } from "./chart_hosts.ts";
import { FRESH, ruleOf } from "./draft.ts";
import { NEW_OVERRIDE, overrideOf } from "./override_draft.ts";

const rule = (change: Partial<Rule> = {}): Rule => ({ ...ruleOf({ ...FRESH, name: "CPU busy" }), ...change });
const exception = (change: Partial<Override>): Override => ({ ...overrideOf(NEW_OVERRIDE, false), ...change });
const fleet = (count: number) => Array.from({ length: count }, (_, at) => ({ id: `web-${at}`, tags: [] }));

test("a host that would have fired is in view however large the fleet is, and the list says that it is cut", () => {
  const { hosts, more } = hostsToShow(rule(), fleet(1000), ["web-742"], "");
  assert.deepEqual(hosts.slice(0, 2), ["web-742", "web-0"]);
  assert.deepEqual([hosts.length, more], [100, 900]);
});

test("the host in view stays in the list, however many others fired", () => {
  const hosts = fleet(1000);
  const shown = hostsToShow(
    rule(),
    hosts,
    hosts.map(({ id }) => id),
    "web-900",
  );
  assert.deepEqual([shown.hosts.length, shown.hosts.includes("web-900")], [100, true]);
});

test("only hosts that the rule looks at are shown", () => {
  const hosts = [
    { id: "web-1", tags: ["prod"] },
    { id: "web-2", tags: [] },
    { id: "web-3", tags: ["prod", "old"] },
    { id: "db-1", tags: ["prod"] },
    { id: "web-9", tags: ["prod"] },
  ];
  const overrides = [exception({ hosts: ["web-9"], enabled: false })];
  const wanted = rule({ host: "web-*", tags: ["prod"], without_tags: ["old"], overrides, enabled: false });
  assert.deepEqual(hostsToShow(wanted, hosts, ["db-1"], "db-1"), { hosts: ["web-1"], more: 0 });
});

test("of exceptions the first that fits a host draws its lines", () => {
  const at = (raise_at: number) => ({ raise_at, clear_at: raise_at });
  const overrides = [
    exception({ hosts: ["db-*"], critical: at(99) }),
    exception({ tags: ["prod"], warning: at(50) }),
    exception({ hosts: ["web-*"], for_s: 600 }),
  ];
  assert.deepEqual(exceptionFor(rule({ overrides }), "db-1", ["prod"]), { number: 1, lines: { critical: 99 } });
  assert.deepEqual(exceptionFor(rule({ overrides }), "app-1", ["prod"]), { number: 2, lines: { warning: 50 } });
  assert.equal(exceptionFor(rule({ overrides }), "web-1", []), null);
  assert.equal(exceptionFor(rule({ overrides }), "app-1", []), null);
});
