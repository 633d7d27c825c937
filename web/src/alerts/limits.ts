// Thresholds and durations as typed, and what is wrong with them: of a rule, or of an exception to it. Pure.
import type { Threshold } from "../api/types.gen.ts";
import { numberFault, numberOf } from "../typed.ts";

/** Texts as typed; an empty one is none. */
export interface LevelDraft {
  warning_raise: string;
  warning_clear: string;
  critical_raise: string;
  critical_clear: string;
}

export const levelsOf = (warning: Threshold | null, critical: Threshold | null): LevelDraft => ({
  warning_raise: number(warning?.raise_at),
  warning_clear: number(warning?.clear_at),
  critical_raise: number(critical?.raise_at),
  critical_clear: number(critical?.clear_at),
});

export const number = (value: number | null | undefined): string => ((value ?? null) === null ? "" : String(value));

/** A missing clear value is the raise value: no hysteresis. */
export function thresholdOf(raise: string, clear: string): Threshold | null {
  if (raise.trim() === "") return null;
  const raise_at = numberOf(raise);
  return { raise_at, clear_at: clear.trim() === "" ? raise_at : numberOf(clear) };
}

const LONGEST_S = 7 * 86_400;

export function durationFault(text: string): string | null {
  if (text.trim() === "") return null;
  const fault = numberFault(text);
  if (fault) return fault;
  if (numberOf(text) < 0) return "Type 0 or more seconds.";
  return numberOf(text) > LONGEST_S ? `Type at most ${LONGEST_S} seconds, which is 7 days.` : null;
}

/** What is wrong, by field. `down`: they are seconds of silence, which nothing clears but a sample. */
export function levelFaults(
  draft: LevelDraft,
  comparison: "above" | "below",
  down: boolean,
): Partial<Record<keyof LevelDraft, string>> {
  const above = down || comparison === "above";
  const beyond = (one: string, other: string) =>
    above ? numberOf(one) > numberOf(other) : numberOf(one) < numberOf(other);
  const [side, beyondIt] = above ? ["or less", "not above"] : ["or more", "not below"];
  const faults: Partial<Record<keyof LevelDraft, string>> = {};
  for (const level of ["warning", "critical"] as const) {
    const raise = draft[`${level}_raise`];
    const clear = down ? "" : draft[`${level}_clear`];
    const set = raise.trim() !== "";
    const clearFault = clear.trim() === "" ? null : numberFault(clear);
    if (set && numberFault(raise)) faults[`${level}_raise`] = numberFault(raise) as string;
    else if (set && down && numberOf(raise) <= 0) faults[`${level}_raise`] = "Type more than 0 seconds.";
    if (clearFault) faults[`${level}_clear`] = clearFault;
    else if (!set && clear.trim() !== "")
      faults[`${level}_raise`] = "Type the value to raise the alert at, or empty “Clear at” too.";
    else if (beyond(clear, raise))
      faults[`${level}_clear`] = `Type ${numberOf(raise)} ${side}, ${beyondIt} “Raise at”.`;
  }
  if (beyond(draft.warning_raise, draft.critical_raise))
    faults.warning_raise ??= `Type ${numberOf(draft.critical_raise)} ${side}, ${beyondIt} the critical one.`;
  return faults;
}
