import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Failure } from "../api/client.ts";
import type { EnrolmentToken, MadeToken } from "../api/types.gen.ts";
import { token as openToken } from "./builders.ts";
import { openInvitation } from "./invitation.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

function gateway(change: Partial<EnrolmentToken> = {}) {
  const token = openToken({ id: 7, ...change });
  const withdrawn: number[] = [];
  let reads = 0;
  return {
    token,
    withdrawn,
    reads: () => reads,
    make: async (): Promise<MadeToken> => ({ token, secret: "sonde_s", line: "curl …", obstacle: "" }),
    read: async (): Promise<EnrolmentToken> => {
      reads += 1;
      return { ...token };
    },
    withdraw: (id: number) => withdrawn.push(id),
  };
}

test("a line that nobody took is withdrawn when it is closed, once", async () => {
  const tokens = gateway();
  const invitation = openInvitation(tokens);
  await invitation.make();
  assert.equal(invitation.made.value?.line, "curl …");
  invitation.close();
  invitation.close();
  assert.deepEqual(tokens.withdrawn, [7]);
});

test("a line that was copied stays good when it is closed", async () => {
  const tokens = gateway();
  const invitation = openInvitation(tokens);
  await invitation.make();
  invitation.copied();
  invitation.close();
  assert.deepEqual(tokens.withdrawn, []);
});

test("a line that a machine has used is not withdrawn", async () => {
  const tokens = gateway();
  const invitation = openInvitation(tokens);
  await invitation.make();
  Object.assign(tokens.token, { state: "used", used: 1, hosts: ["web-3"] });
  invitation.look();
  await settled();
  assert.deepEqual(invitation.token.value.value?.hosts, ["web-3"]);
  invitation.close();
  assert.deepEqual(tokens.withdrawn, []);
});

test("a line that comes after the end is withdrawn at once", async () => {
  const tokens = gateway();
  const invitation = openInvitation(tokens);
  const making = invitation.make();
  invitation.close();
  await making;
  assert.deepEqual(tokens.withdrawn, [7]);
  assert.equal(invitation.made.value, null);
});

test("a refusal is told, and the next attempt forgets it", async () => {
  const tokens = gateway();
  let refuses = true;
  const invitation = openInvitation({
    ...tokens,
    make: async () => {
      if (refuses) throw new Failure(503, "no authority");
      return tokens.make();
    },
  });
  await invitation.make();
  assert.equal(invitation.refusal.value, "no authority");
  refuses = false;
  await invitation.make();
  assert.equal(invitation.refusal.value, null);
  assert.ok(invitation.made.value);
  invitation.close();
});

test("an open token is read every 2 s, and one that is used no more", async () => {
  mock.timers.enable({ apis: ["setInterval"] });
  try {
    const tokens = gateway();
    const invitation = openInvitation(tokens);
    await invitation.make();
    mock.timers.tick(2000);
    await settled();
    mock.timers.tick(2000);
    await settled();
    assert.equal(tokens.reads(), 2);
    Object.assign(tokens.token, { state: "used", used: 1, hosts: ["web-3"] });
    mock.timers.tick(2000);
    await settled();
    mock.timers.tick(20_000);
    await settled();
    assert.equal(tokens.reads(), 3);
    invitation.close();
  } finally {
    mock.timers.reset();
  }
});
