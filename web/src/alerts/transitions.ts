// Alerts and what becomes of them in words. Pure.
import type { ActiveAlert, AlertState, AlertTransition } from "../api/types.gen.ts";

const KIND_WORDS: Record<AlertTransition["kind"], string> = {
  fire: "fires",
  escalate: "worsens to critical",
  deescalate: "eases to warning",
  resolve: "resolved",
  gone: "ended: what it watched is gone",
};

export const kindWord = (kind: AlertTransition["kind"]): string => KIND_WORDS[kind] ?? kind;

/** Only the API writes it in one word. */
export const stateWord = (state: AlertState): string => (state === "nodata" ? "no data" : state);

/** Pending, suspended and no-data alerts are shown, but they do not shout. */
export const fires = (alert: ActiveAlert): boolean => alert.state === "firing" || alert.state === "recovering";

/** Whether somebody has seen it as it is now. */
export const isSeen = ({ acknowledged, acknowledged_until }: ActiveAlert, now_s: number): boolean =>
  acknowledged && (acknowledged_until === null || now_s < acknowledged_until);

export function transitionText(one: AlertTransition): string {
  const where = [one.host || "Sonde", one.instance].filter(Boolean).join(" ");
  const when = one.past ? ", in the past" : "";
  return `${where}: ${one.rule_name} ${kindWord(one.kind)}${one.kind === "fire" ? `, ${one.severity}` : ""}${when}`;
}
