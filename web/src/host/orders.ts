// What an agent replies to an order, in words. Pure.
import type { CommandReply, Verb } from "../api/types.gen.ts";
import { moment } from "../format.ts";

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

function said(value: unknown): string {
  if (Array.isArray(value)) return value.map(said).join(", ") || "none";
  return isObject(value) ? JSON.stringify(value) : String(value ?? "not known");
}

/** Names and values; a name is empty where there is only a sentence. */
export function replyWords(verb: Verb, { ok, result, error }: CommandReply): [string, string][] {
  if (!ok) return [["", error || "The agent refused."]];
  const found = isObject(result) ? result : {};
  switch (verb) {
    case "ping":
      return [["", `It answered at ${moment(Number(found.time) * 1000)}, version ${said(found.version)}.`]];
    case "flush":
      return [["", found.left === 0 ? "Everything is sent." : `${said(found.left)} batches are still to be sent.`]];
    case "rescan":
      return [["", `Measuring: ${said(found.directories)}.`]];
    case "status":
      return Object.entries(found).map(([name, value]) => [name.replaceAll("_", " "), said(value)]);
  }
}
