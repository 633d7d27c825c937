import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentConfig } from "../api/types.gen.ts";
import { bodyOf, draftOf, faultsOf } from "./config_draft.ts";

const CONFIG: AgentConfig = {
  sample_interval_s: 2,
  directories: ["/srv", "/var/lib"],
  families: {
    gpu: { enabled: false },
    network: { interval_s: 0.5, include: ["eth*"], exclude: ["eth9", "veth*"] },
  },
};

test("settings survive the form unchanged", () => {
  assert.deepEqual(bodyOf(draftOf({ config: CONFIG })), CONFIG);
  assert.deepEqual(bodyOf(draftOf({ config: {} })), {});
});

test("an empty list of directories is not the same as none of its own", () => {
  assert.deepEqual(bodyOf(draftOf({ config: { directories: [] } })), { directories: [] });
});

test("numbers may have a comma, lists stray spaces and lines", () => {
  const draft = draftOf({ config: CONFIG });
  const body = bodyOf({ ...draft, sample_interval_s: " 0,5 ", directories: " /srv \n\n/opt\n" });
  assert.equal(body.sample_interval_s, 0.5);
  assert.deepEqual(body.directories, ["/srv", "/opt"]);
});

test("what is no number is told before the gateway is asked", () => {
  const draft = draftOf({ config: CONFIG });
  draft.families.gpu = { enabled: "", interval_s: "often", include: "", exclude: "" };
  assert.deepEqual(Object.keys(faultsOf({ ...draft, batch_interval_s: "1 min" })), [
    "batch_interval_s",
    "families.gpu.interval_s",
  ]);
});
