import assert from "node:assert/strict";
import { test } from "node:test";
import type { Channel } from "../api/types.gen.ts";
import { channelOf, draftOf, FIELDS, FRESH, faultsOf } from "./channel_draft.ts";

const mail: Channel = {
  id: "mail",
  name: "Mail",
  target: {
    kind: "email",
    server: "mail.example",
    sender: "sonde@example.org",
    recipients: ["a@example.org", "b@example.org"],
    port: 465,
    security: "tls",
    user: "sonde",
    password: "",
  },
  enabled: true,
  fallback: "ops",
  owner: "platform",
};

test("a channel survives the way through the form", () => {
  assert.deepEqual(channelOf(draftOf(mail)), mail);
});

test("what the form does not show survives too", () => {
  const bot: Channel = {
    ...mail,
    target: { kind: "slack-bot", room: "C01", token: "", api_url: "https://slack.example/api" },
  };
  assert.deepEqual(channelOf(draftOf(bot)), bot);
});

test("an empty address of Slack's API is the usual one", () => {
  const made = channelOf({ ...FRESH, kind: "slack-bot", texts: { room: "C01", token: "xoxb-1", api_url: " " } });
  assert.deepEqual(made.target, { kind: "slack-bot", room: "C01", token: "xoxb-1", api_url: "https://slack.com/api" });
});

test("a channel of another kind has nothing of the one before", () => {
  const made = channelOf({ ...draftOf(mail), kind: "slack", texts: { url: " https://hooks.example/x " } });
  assert.deepEqual(made.target, { kind: "slack", url: "https://hooks.example/x" });
});

test("each kind has its fields", () => {
  for (const kind of Object.keys(FIELDS) as (keyof typeof FIELDS)[]) {
    const made = channelOf({ ...FRESH, kind });
    assert.equal(made.target.kind, kind);
  }
});

test("what a channel lacks is told at once and where", () => {
  assert.deepEqual(Object.keys(faultsOf(FRESH)).sort(), ["name", "target.url"]);
  const mail = { ...FRESH, name: "Mail", kind: "email" as const, texts: { ...FRESH.texts, port: "smtp" } };
  assert.deepEqual(Object.keys(faultsOf(mail)).sort(), [
    "target.port",
    "target.recipients",
    "target.sender",
    "target.server",
  ]);
});

test("a secret that is stored need not be typed again", () => {
  const kept = { id: "ops", name: "Ops", target: { kind: "slack", url: "" }, enabled: true, fallback: "", owner: "" };
  const draft = { ...FRESH, name: "Ops", secrets: ["url"], kept: kept as never };
  assert.deepEqual(faultsOf(draft), {});
});
