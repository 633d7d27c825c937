// A channel while it is being written: fields as texts by name, and the channel that they make. Pure.
import { KINDS } from "../alerts/telling.ts";
import type { Channel } from "../api/types.gen.ts";

type Kind = Channel["target"]["kind"];

interface Asked {
  name: string;
  label: string;
  hint?: string;
  /** Written and never shown. */
  secret?: boolean;
  optional?: boolean;
  /** What an empty one means. */
  otherwise?: string;
  choices?: readonly string[];
}

/** What each kind of channel needs. */
export const FIELDS: Record<Kind, readonly Asked[]> = {
  slack: [{ name: "url", label: "Webhook address", secret: true, hint: "https://hooks.slack.com/services/…" }],
  "slack-bot": [
    { name: "room", label: "Conversation", hint: "its id, such as C0123456789" },
    { name: "token", label: "Bot token", secret: true, hint: "begins with xoxb-; needs the scope chat:write" },
    {
      name: "api_url",
      label: "Address of Slack’s API",
      optional: true,
      otherwise: "https://slack.com/api",
      hint: "another one for GovSlack only",
    },
  ],
  webhook: [
    { name: "url", label: "Address", secret: true },
    { name: "key", label: "Key to sign with", secret: true, optional: true, hint: "HMAC-SHA256; empty: not signed" },
  ],
  email: [
    { name: "server", label: "SMTP server" },
    { name: "port", label: "Port" },
    { name: "security", label: "Encryption", choices: ["starttls", "tls", "none"] },
    { name: "sender", label: "From" },
    { name: "recipients", label: "To", hint: "addresses, separated by commas" },
    { name: "user", label: "User", optional: true },
    { name: "password", label: "Password", secret: true, optional: true },
  ],
  apprise: [{ name: "url", label: "Address of Apprise", secret: true, hint: "such as ntfys://ntfy.sh/topic" }],
};

export interface Draft {
  id: string;
  name: string;
  kind: Kind;
  enabled: boolean;
  fallback: string;
  /** What the fields of the kind say. */
  texts: Record<string, string>;
  /** Names of the secrets that are stored. */
  secrets: readonly string[];
  /** The channel that it began as, with all that the form does not show; null: a new one. */
  kept: Channel | null;
}

export const FRESH: Draft = {
  id: "",
  name: "",
  kind: "slack",
  enabled: true,
  fallback: "",
  texts: { port: "587", security: "starttls" },
  secrets: [],
  kept: null,
};

export function draftOf(channel: Channel, secrets: readonly string[] = []): Draft {
  const { kind, ...rest } = channel.target;
  const texts = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : String(value)]),
  );
  return {
    id: channel.id,
    name: channel.name,
    kind,
    enabled: channel.enabled,
    fallback: channel.fallback,
    texts: { ...FRESH.texts, ...texts },
    secrets,
    kept: channel,
  };
}

/** The channel that a draft describes; the gateway says what is wrong with it. */
export function channelOf(draft: Draft): Channel {
  const before = draft.kept?.target.kind === draft.kind ? draft.kept.target : {};
  const target: Record<string, unknown> = { ...before, kind: draft.kind };
  for (const { name, otherwise = "" } of FIELDS[draft.kind]) {
    const text = (draft.texts[name] ?? "").trim() || otherwise;
    if (name === "recipients") target[name] = text.split(/[\s,]+/).filter(Boolean);
    else target[name] = name === "port" ? Number(text) : text;
  }
  return {
    ...(draft.kept ?? { owner: "" }),
    id: draft.id,
    name: draft.name.trim(),
    target: target as unknown as Channel["target"],
    enabled: draft.enabled,
    fallback: draft.fallback,
  };
}

/** What can be told without the gateway, by its names of the fields. */
export function faultsOf(draft: Draft): Record<string, string> {
  const faults: Record<string, string> = {};
  if (draft.name.trim() === "") faults.name = "Give the channel a name.";
  const same = draft.kept?.target.kind === draft.kind;
  for (const { name, label, secret, optional, choices } of FIELDS[draft.kind]) {
    const text = (draft.texts[name] ?? "").trim();
    const kept = secret && same && draft.secrets.includes(name);
    if (text === "" && !optional && !choices && !kept) faults[`target.${name}`] = `Type what is asked for: ${label}.`;
    else if (name === "port" && !(Number.isInteger(Number(text)) && Number(text) > 0 && Number(text) < 65_536))
      faults["target.port"] = "Type a whole number from 1 to 65535.";
  }
  return faults;
}

/** What a channel is, in a sentence without its secrets. */
export function channelWords(channel: Channel): string {
  const fallback = channel.fallback ? `, while it is held ${channel.fallback} is told` : "";
  return `“${channel.name}”, ${KINDS[channel.target.kind]}${fallback}${channel.enabled ? "" : ", off"}.`;
}
