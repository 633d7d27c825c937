import assert from "node:assert/strict";
import { test } from "node:test";
import type { Episode, Outcome } from "../api/types.gen.ts";
import { limitsOf, outcomeWords } from "./rehearsal.ts";

const END_S = 1_795_219_200;

const episode = { host: "web-1", fired: END_S - 600, ended: null } as Episode;
const outcome: Outcome = {
  start: END_S - 7 * 86_400,
  end: END_S,
  exact_from: END_S - 7 * 86_400,
  unit: "%",
  fired: 3,
  critical: 1,
  hosts_fired: 2,
  hosts: 12,
  hosts_played: 12,
  series: 12,
  complete: true,
  episodes: [episode, episode, episode],
  samples_read: 0,
  took_s: 0.1,
};

test("what a rule would have done is one sentence", () => {
  assert.match(
    outcomeWords(outcome),
    /^It would have fired 3 times in the 7.d until .+, on 2 of 12 hosts; once critical\.$/,
  );
});

test("a rule that would not have fired says on how many hosts it would have", () => {
  assert.match(outcomeWords({ ...outcome, fired: 0 }), /^It would not have fired .+, on any of the 12 hosts/);
  assert.equal(outcomeWords({ ...outcome, fired: 0, hosts: 0 }), "It fits no host that has samples.");
});

test("what the answer does not rest on is said", () => {
  assert.deepEqual(limitsOf(outcome, 7), []);
  const partly = { ...outcome, complete: false, hosts_played: 5, exact_from: END_S - 3600, start: END_S - 7200 };
  const [first, second, third] = limitsOf(partly, 7);
  assert.equal(first, "The time was up: only 5 of 12 hosts were played.");
  assert.match(second ?? "", /^Samples begin at /);
  assert.match(third ?? "", /only one value a minute is left\.$/);
  assert.deepEqual(limitsOf({ ...outcome, fired: 5000 }, 7), ["Only the latest 3 times are listed and drawn."]);
});
