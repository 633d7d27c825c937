import assert from "node:assert/strict";
import { test } from "node:test";
import { draftFrom } from "./begun.ts";
import { faultsOf, ruleOf } from "./draft.ts";
import { tooHighHref } from "./too_high.ts";

const opened = (href: string) => draftFrom(new URL(href, "http://sonde").searchParams);

test("a line that is too high begins a rule that it would have broken", () => {
  const draft = opened(tooHighHref({ metric: "cpu.total", host: "web-1", value: 87.3 }));
  assert.ok(draft);
  const rule = ruleOf(draft);
  assert.deepEqual(
    [rule.name, rule.id, rule.host, rule.metric, rule.warning, rule.critical],
    [
      "CPU total high on web-1",
      "cpu-total-high-on-web-1",
      "web-1",
      "cpu.total",
      { raise_at: 85, clear_at: 76.5 },
      null,
    ],
  );
  assert.equal(rule.for_s, 0);
  assert.deepEqual(faultsOf(draft), {});
});

test("of a round value the next one below is taken", () => {
  assert.equal(opened(tooHighHref({ metric: "cpu.total", host: "web-1", value: 90 }))?.warning_raise, "85");
});

test("an instance goes with the line", () => {
  const href = tooHighHref({ metric: "filesystem.used_percent", host: "web-1", instance: "/srv", value: 70 });
  assert.equal(opened(href)?.instance, "/srv");
  assert.equal(opened(href)?.name, "File system used high on web-1 /srv");
  assert.equal(opened(tooHighHref({ metric: "cpu.total", host: "web-1", instance: "x", value: 7 }))?.instance, "*");
});

test("an address that asks for nothing sensible begins nothing", () => {
  for (const query of ["", "?new=rule", "?new=rule&metric=no.such&host=a", "?new=rule&metric=cpu.total&host=A%20b"])
    assert.equal(opened(`/alerts${query}`), null);
});

test("without a value the line is left to be drawn", () => {
  const draft = opened("/alerts?new=rule&metric=cpu.total&host=web-1&value=x");
  assert.equal(draft?.warning_raise, "");
});
