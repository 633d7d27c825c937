import assert from "node:assert/strict";
import { test } from "node:test";
import { isAnotherDashboard } from "./versions.ts";

test("a page that begins with another file is another version of the dashboard", () => {
  const page = (name: string) => `<script type="module" crossorigin src="/assets/${name}"></script>`;
  assert.ok(isAnotherDashboard(page("index-new.js"), "/assets/index-old.js"));
  assert.ok(!isAnotherDashboard(page("index-old.js"), "/assets/index-old.js"));
  assert.ok(!isAnotherDashboard("<h1>Log in to the proxy</h1>", "/assets/index-old.js"));
});
