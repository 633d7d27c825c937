import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../api/client.ts";
import { endSession } from "./end_session.ts";

const answering = (status: number) => {
  globalThis.fetch = async () => new Response(null, { status });
};

test("a session that has ended meanwhile is as good as ended", async () => {
  answering(404);
  await endSession(7);
});

test("any other refusal is a failure", async () => {
  answering(503);
  await assert.rejects(endSession(7), Failure);
});
