import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "./client.ts";
import { loader } from "./loading.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("an answer replaces waiting", async () => {
  const { state, load } = loader(async () => 7);
  assert.deepEqual(state.value, { value: null, loading: false, error: null });
  load();
  assert.ok(state.value.loading);
  await settled();
  assert.deepEqual(state.value, { value: 7, loading: false, error: null });
});

test("a failure keeps the last answer, which is out of date then", async () => {
  let fails = false;
  const { state, load, close } = loader(async () => {
    if (fails) throw new Failure(503, "away");
    return 7;
  });
  load();
  await settled();
  fails = true;
  load();
  await settled();
  assert.deepEqual(state.value, { value: 7, loading: false, error: "away" });
  close();
});

test("what was asked first and answers last is not shown", async () => {
  const answers: ((value: number) => void)[] = [];
  const { state, load } = loader(() => new Promise<number>((resolve) => answers.push(resolve)));
  load();
  load();
  answers[1]?.(2);
  await settled();
  answers[0]?.(1);
  await settled();
  assert.equal(state.value.value, 2);
});

test("after the end nothing is shown any more", async () => {
  const { state, load, close } = loader(async () => 7);
  load();
  close();
  await settled();
  assert.deepEqual(state.value, { value: null, loading: false, error: null });
});

test("a refresh lets what is on its way arrive, and asks once more after it", async () => {
  const answers: ((value: number) => void)[] = [];
  const { state, load, refresh, close } = loader(() => new Promise<number>((resolve) => answers.push(resolve)));
  load();
  refresh();
  refresh();
  assert.equal(answers.length, 1);
  answers[0]?.(1);
  await settled();
  assert.equal(state.value.value, 1);
  assert.equal(answers.length, 2);
  close();
});

test("an answer that cannot be read is a failure as well, and reported", async () => {
  const reported: unknown[] = [];
  Object.assign(globalThis, { reportError: (error: unknown) => reported.push(error) });
  const { state, load, close } = loader(async () => {
    throw new TypeError("null has no hosts");
  });
  load();
  await settled();
  assert.deepEqual([state.value.loading, state.value.error], [false, "The gateway's answer could not be read."]);
  assert.equal(reported.length, 1);
  close();
});

test("a value that came by another way is not replaced by an answer that was on its way", async () => {
  const answers: ((value: number) => void)[] = [];
  const { state, load, put } = loader(() => new Promise<number>((resolve) => answers.push(resolve)));
  load();
  put(2);
  answers[0]?.(1);
  await settled();
  assert.deepEqual(state.value, { value: 2, loading: false, error: null });
});

test("what the gateway refuses is not tried again by itself, unless another moment may change that", async () => {
  for (const [status, refused] of [
    [403, true],
    [404, true],
    [401, undefined],
    [429, undefined],
    [500, undefined],
    [0, undefined],
  ] as const) {
    const { state, load, close } = loader(async () => {
      throw new Failure(status, "no");
    });
    load();
    await settled();
    assert.equal(state.value.refused, refused, String(status));
    close();
  }
});
