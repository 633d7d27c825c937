import assert from "node:assert/strict";
import { test } from "node:test";
import { type Command, find, MOST } from "./commands.ts";

const command = (words: string, more: Partial<Command> = {}): Command => ({
  key: words,
  group: "Actions",
  words,
  ...more,
});
const words = (commands: readonly Command[], text: string) => find(commands, text).commands.map((one) => one.words);

test("every word of the text must be found", () => {
  const all = [command("Light colours"), command("Dark colours")];
  assert.deepEqual(words(all, "dark col"), ["Dark colours"]);
  assert.deepEqual(words(all, "dark light"), []);
});

test("the beginning of a name counts more than its middle, and both more than other words", () => {
  const all = [
    command("a", { also: ["web"] }),
    command("cobweb"),
    command("db-web", { group: "Hosts" }),
    command("web-1", { group: "Hosts" }),
  ];
  assert.deepEqual(words(all, "WEB"), ["web-1", "db-web", "cobweb", "a"]);
});

test("of those that match alike the order stays", () => {
  const all = ["web-3", "web-1", "web-2"].map((name) => command(name));
  assert.deepEqual(words(all, "web"), ["web-3", "web-1", "web-2"]);
});

test("a host comes before what there is to do with it", () => {
  const all = [command("Alerts of web-1"), command("my web-1", { group: "Hosts" })];
  assert.deepEqual(words(all, "web-1"), ["my web-1", "Alerts of web-1"]);
});

test("without a text pages come first and of hosts only some", () => {
  const hosts = Array.from({ length: 100 }, (_, at) => command(`host-${at}`, { group: "Hosts" }));
  const { commands, more } = find([...hosts, command("Fleet", { group: "Pages" })], " ");
  assert.equal(commands[0]?.words, "Fleet");
  assert.equal(commands.length + more, 101);
  assert.ok(commands.length < 10);
});

test("of many that match the best are shown and the others counted", () => {
  const all = Array.from({ length: 500 }, (_, at) => command(`host-${at}`, { group: "Hosts" }));
  const { commands, more } = find(all, "host");
  assert.equal(commands.length, MOST);
  assert.equal(more, 500 - MOST);
});
