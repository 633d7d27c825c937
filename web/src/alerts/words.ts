// Alerts and rules in words. Pure.
import { HOST_DOWN, pathWords, unitOf } from "../api/catalogue.ts";
import type { AlertState, AlertTransition, Delivery, Rule } from "../api/types.gen.ts";
import { type Base, duration, limit } from "../format.ts";

const KIND_WORDS: Record<AlertTransition["kind"], string> = {
  fire: "fires",
  escalate: "worsens to critical",
  deescalate: "eases to warning",
  resolve: "resolved",
  gone: "ended: what it watched is gone",
};

export const kindWord = (kind: AlertTransition["kind"]): string => KIND_WORDS[kind] ?? kind;

const FATES: Record<string, string> = {
  sending: "on its way",
  sent: "sent",
  failed: "failed, tried again",
  refused: "refused",
  dead: "not sent: the channel is held",
  unknown: "sent, without an answer",
};

/** What became of a message; only what nobody was told against our will is a fault. */
export function fate(status: Delivery["status"]): { word: string; tone: string } {
  const tone = status === "failed" ? "tone-warning" : status === "refused" || status === "dead" ? "tone-critical" : "";
  return { word: FATES[status] ?? status, tone };
}

/** Only the API writes it in one word. */
export const stateWord = (state: AlertState): string => (state === "nodata" ? "no data" : state);

export function transitionText(one: AlertTransition): string {
  const where = [one.host || "Sonde", one.instance].filter(Boolean).join(" ");
  return `${where}: ${one.rule_name} ${kindWord(one.kind)}${one.kind === "fire" ? `, ${one.severity}` : ""}`;
}

/** A rule as the sentence it means, to be read before it is saved. */
export function ruleSentence(rule: Rule, base: Base): string {
  const unit = unitOf(rule.metric);
  const where = `${rule.instance === "*" ? "" : `${rule.instance} of `}${rule.host === "*" ? "any host" : rule.host}`;
  const hold = rule.for_s > 0 ? ` for ${duration(rule.for_s)}` : "";
  const levels = [
    { name: "warning", at: rule.warning },
    { name: "critical", at: rule.critical },
  ].filter((level) => level.at !== null);
  if (levels.length === 0) return "Never fires: it has no threshold.";
  if (rule.metric === HOST_DOWN)
    return `When ${where} sends no sample for ${levels.map((level) => `${limit(level.at?.raise_at, unit, base)} (${level.name})`).join(" or ")}.`;
  const raises = levels.map((level) => `${rule.comparison} ${limit(level.at?.raise_at, unit, base)} (${level.name})`);
  const opposite = rule.comparison === "above" ? "at or below" : "at or above";
  const clears = levels.map((level) => limit(level.at?.clear_at, unit, base));
  const back = rule.recover_for_s > 0 ? ` for ${duration(rule.recover_for_s)}` : "";
  return `When ${pathWords(rule.metric)} on ${where} is ${raises.join(" or ")}${hold}. Over when it is ${opposite} ${clears.join(" / ")}${back}.`;
}

/** A rule's id from its name: lower case, dashes, at most 40 characters. */
export function slug(name: string): string {
  return name
    .toLowerCase()
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, "");
}
