import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSearch, wordsOf } from "./search.ts";
import { STANDINGS, summarise } from "./summary.ts";

const MIB = 1024 * 1024;
const values = {
  cpu: { "": { total: 81.4, load1: 4 } },
  filesystem: { "/": { used_percent: 40, inodes_percent: 70 }, "/var": { used_percent: 91, inodes_percent: null } },
  network: { eth0: { received: 2 * MIB, sent: null }, eth1: { received: MIB, sent: 0.5 * MIB } },
};
const candidate = {
  id: "web-1",
  label: "Shop front",
  words: wordsOf(["web-1", "web-1.example.net", "Shop front", "prod", "eu-west", "team:Blue"]),
  tags: ["prod", "eu-west", "team:Blue"],
  standing: "warning" as const,
  muted: false,
  summary: () => summarise(values, 8),
};
const found = (text: string) => parseSearch(text).matches(candidate);
const problem = (text: string) => parseSearch(text).problems.join(" ");

test("every term must hold", () => {
  assert.ok(found("web eu"));
  assert.ok(!found("web us"));
});

test("a host is found by what people call it", () => {
  assert.ok(found("shop"));
  assert.ok(found("front -back"));
});

test("an empty search finds everything", () => {
  assert.ok(found("  "));
});

test("numbers, tags and states are terms of the grammar", () => {
  assert.ok(found("cpu>80 disk>=91 tag:prod warning"));
  assert.ok(!found("cpu>82"));
  assert.ok(!found("tag:west"));
  assert.ok(!found("offline"));
});

test("what a host measured before it went away fits no number", () => {
  const { matches } = parseSearch("cpu>80");
  assert.ok(matches({ ...candidate, standing: "unknown" }));
  assert.ok(!matches({ ...candidate, standing: "offline" }));
  assert.ok(!matches({ ...candidate, standing: "archived" }));
});

test("spaces may stand around a sign", () => {
  assert.ok(found("cpu > 80"));
  assert.ok(found("web cpu >80 disk> 90 prod"));
  assert.ok(!found("cpu > 90"));
});

test("a decimal comma is a decimal point, and a percent sign may follow", () => {
  assert.ok(found("cpu>81,3"));
  assert.ok(!found("cpu>81,5"));
  assert.ok(found("cpu>81.3%"));
});

test("a number is equal when it looks equal on the card", () => {
  assert.ok(found("cpu=81,4 disk = 91"));
  assert.ok(!found("cpu=81"));
});

test("traffic is received and sent together, in MiB/s unless a unit follows", () => {
  assert.ok(found("net>3.4 net<3.6 net=3.5"));
  assert.ok(found("net>3000k net>3000kib/s net<1G net>0.001g net>100b"));
  assert.ok(!found("net>4000kb"));
});

test("a unit of traffic is the one that the page shows", () => {
  assert.ok(parseSearch("net>3.6", 1000).matches(candidate));
  assert.ok(!parseSearch("net>3.6", 1024).matches(candidate));
});

test("a state may be asked for by its key", () => {
  assert.ok(found("state:warning"));
  assert.ok(found("is:Warning"));
  assert.ok(!found("state:up"));
});

test("a minus excludes", () => {
  assert.ok(found("-db -offline -tag:staging -cpu>90"));
  assert.ok(!found("-web"));
  assert.ok(!found("-tag:prod"));
  assert.ok(!found("-state:warning"));
});

test("a minus within a word is part of it", () => {
  assert.ok(found("web-1"));
});

test("a tag with a colon is found as it is written", () => {
  assert.ok(found("team:blue tag:team:blue"));
});

test("a number nobody knows matches no comparison", () => {
  assert.ok(!found("mem>0"));
  assert.ok(!found("mem<100"));
});

test("what cannot be compared is named, with what can", () => {
  assert.match(problem("foo>3"), /“foo>3” .*cpu, mem, memory, disk, inodes, gpu, load and net can be compared/);
  assert.match(problem(">3"), /can be compared/);
});

test("a comparison without a number says how to write one", () => {
  assert.match(problem("cpu>x"), /“cpu>x” .*cpu>80/);
  assert.match(problem("load>"), /load>1\.5/);
  assert.match(problem("cpu>80k"), /cpu>80/);
  assert.match(problem("net>5q"), /net>500k/);
});

test("an unknown state is named, with the states there are", () => {
  assert.match(
    problem("state:blue"),
    /“state:blue” .*critical, offline, warning, late, unknown, up, archived or muted/,
  );
});

test("a key without its value says what to write", () => {
  assert.match(problem("tag:"), /tag:prod/);
  assert.match(problem("-"), /-web/);
});

test("a term that means nothing leaves the others as they are", () => {
  assert.ok(found("web foo>3 tag:"));
  assert.ok(!found("db foo>3"));
  assert.equal(parseSearch("web foo>3 state:blue").problems.length, 2);
});

test("a problem quotes what was written", () => {
  assert.match(problem("Foo > 3"), /“Foo>3”/);
});

test("only a search that compares numbers follows every sample", () => {
  assert.ok(parseSearch("cpu>80").numeric);
  assert.ok(parseSearch("-net>1").numeric);
  assert.ok(!parseSearch("tag:prod web colour>5").numeric);
});

test("no text throws, and what remains of it can be asked of a host", () => {
  const parts = [
    "cpu",
    "net",
    "tag:",
    "state:",
    "is:",
    "-",
    ">",
    "<=",
    "=",
    " ",
    "1,5",
    ".",
    "9".repeat(400),
    "k",
    "%",
  ];
  const odd = ["\u0000", "😀", "\ud800", "“", "ß", "\\", "(", "[", "toString", "__proto__", "constructor>1", "\u2028"];
  const pieces = [...parts, ...odd, ...STANDINGS];
  // A generator of its own, so that a failure comes again.
  let state = 1;
  const next = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  for (let round = 0; round < 5000; round += 1) {
    let text = "";
    for (let length = next(9); length > 0; length -= 1)
      text += next(4) === 0 ? String.fromCharCode(next(0x10000)) : pieces[next(pieces.length)];
    const search = parseSearch(text);
    assert.equal(typeof search.matches(candidate), "boolean", JSON.stringify(text));
    for (const sentence of search.problems) assert.match(sentence, /^“.+” is left out: .+\.$/s);
  }
});

test("hosts of which nobody is told are found", () => {
  assert.ok(!found("is:muted"));
  assert.ok(parseSearch("is:muted").matches({ ...candidate, muted: true }));
});

test("a mistyped measure or state is told with what may be meant", () => {
  assert.ok(problem("cup>80").includes("did you mean cpu?"));
  assert.ok(problem("is:oflfine").includes("did you mean offline?"));
});
