import assert from "node:assert/strict";
import { test } from "node:test";
import { asked, byTag, curl, type Document, example, may, type Operation, words } from "./document.ts";

const DOCUMENT: Document = {
  info: { title: "Sonde", version: "1" },
  paths: {
    "/api/v1/hosts/{host}": {
      get: {
        operationId: "get_hosts_host",
        tags: ["hosts"],
        summary: "One host",
        "x-role": "viewer",
        parameters: [
          { name: "host", in: "path", required: true, schema: { type: "string" } },
          { name: "metrics", in: "query", required: false, schema: { type: "string" } },
          { name: "If-Match", in: "header", required: false, schema: { type: "string" } },
        ],
        responses: {},
      },
    },
    "/api/v1/rules": {
      post: {
        operationId: "post_rules",
        tags: ["alerting"],
        summary: "Add a rule",
        "x-role": "operator",
        responses: {},
      },
    },
  },
  components: {
    schemas: {
      Threshold: { type: "object", properties: { raise_at: { type: "number" } }, required: ["raise_at"] },
      Rule: {
        type: "object",
        properties: {
          id: { type: "string" },
          comparison: { enum: ["above", "below"], default: "above" },
          critical: { anyOf: [{ type: "null" }, { $ref: "#/components/schemas/Threshold" }] },
          tags: { type: "array", items: { type: "string" } },
          uses: { type: "integer", minimum: 1 },
        },
      },
      Loop: { type: "object", properties: { again: { $ref: "#/components/schemas/Loop" } } },
    },
  },
};
const GET = byTag(DOCUMENT).get("hosts")?.[0] as Operation;

test("operations stand below their tag, and a search needs all of its words", () => {
  assert.deepEqual([...byTag(DOCUMENT).keys()], ["hosts", "alerting"]);
  assert.deepEqual([...byTag(DOCUMENT, "POST rule").keys()], ["alerting"]);
  assert.deepEqual([...byTag(DOCUMENT, "post host").keys()], []);
});

test("a role may what those below it may", () => {
  assert.ok(may("admin", "operator"));
  assert.ok(!may("viewer", "operator"));
  assert.ok(!may(null, "viewer"));
  assert.ok(may(null, null));
});

test("an example has defaults, first choices and least numbers, through references", () => {
  assert.deepEqual(example({ $ref: "#/components/schemas/Rule" }, DOCUMENT), {
    id: "",
    comparison: "above",
    critical: { raise_at: 0 },
    tags: [],
    uses: 1,
  });
});

test("an example of a schema that contains itself ends", () => {
  assert.ok(JSON.stringify(example({ $ref: "#/components/schemas/Loop" }, DOCUMENT)).length < 200);
});

test("a request has what is given where it belongs, and leaves out what is empty", () => {
  assert.deepEqual(asked(GET, { host: "a b", metrics: "cpu,gpu", "If-Match": '"3"' }), {
    address: "/api/v1/hosts/a%20b?metrics=cpu%2Cgpu",
    headers: { "If-Match": '"3"' },
  });
  assert.deepEqual(asked(GET, { host: "web-1", metrics: "" }), { address: "/api/v1/hosts/web-1", headers: {} });
});

test("without what the path needs there is no request", () => {
  assert.equal(asked(GET, { host: "" }), null);
});

test("the line for a shell quotes what it repeats", () => {
  assert.equal(
    curl("POST", { address: "/api/v1/rules", headers: {} }, `{"name": "it's"}`, "http://x"),
    `curl -s -X POST 'http://x/api/v1/rules' -H 'Authorization: Bearer TOKEN' -d '{"name": "it'\\''s"}'`,
  );
});

test("a schema is said in a few words", () => {
  assert.equal(words({ type: "integer", minimum: 1, maximum: 9 }), "integer 1 to 9");
  assert.equal(words({ type: "array", items: { $ref: "#/components/schemas/Rule" } }), "list of Rule");
  assert.equal(words({ anyOf: [{ type: "string" }, { type: "null" }] }), "string or null");
});
