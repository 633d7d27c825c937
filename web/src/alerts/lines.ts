// Thresholds as lines of a chart: how far its axis reaches, and what moving a line makes of a rule's draft. Pure.
import type { IncidentDetail, Outcome, SeriesColumn } from "../api/types.gen.ts";
import type { ChartMark } from "../charts/marks.ts";
import { niceStep } from "../charts/scale.ts";
import type { Limits } from "../charts/source.ts";
import type { Base } from "../format.ts";
import { duration, text } from "../format.ts";
import { numberOf } from "../typed.ts";
import type { LevelDraft } from "./limits.ts";
import { ofHost } from "./thresholds.ts";
import { isDrawn } from "./words.ts";

export type Level = "warning" | "critical";

const binaryOf = (unit: string, base: Base): boolean => base === 1024 && unit.startsWith("B");

/**
 * The thresholds that an incident's rule had for its host, exceptions included. Null where they are not among the values, or
 * where the rule was not kept.
 */
export function thresholdsOf({ incident, rule }: Pick<IncidentDetail, "incident" | "rule">): Limits | null {
  if (rule === null || !isDrawn(rule.window.function)) return null;
  // Its tags may have been changed since, so that the rule is about it no longer.
  const { warning, critical } = ofHost([rule], incident.host, incident.tags)[0] ?? rule;
  return { warning: warning?.raise_at ?? null, critical: critical?.raise_at ?? null };
}

/**
 * The top of an axis on which all values and lines are, with room to move the lines up. What is below zero counts as far as it
 * is away: such an axis reaches as far below as above.
 */
export function topOf(
  columns: readonly SeriesColumn[],
  lines: readonly (number | null)[],
  unit: string,
  base: Base,
): number {
  let most = 0;
  const take = (value: number | null) => {
    most = Math.max(most, Math.abs(value ?? 0));
  };
  for (const { min, max } of columns) {
    for (const value of min) take(value);
    for (const value of max) take(value);
  }
  for (const line of lines) take(line);
  if (unit === "%" && most <= 100) return 100;
  return 4 * niceStep(Math.max(most * 1.15, 1e-9) / 4, binaryOf(unit, base));
}

/** How far a line moves with one press of a key, and to what multiples a drag snaps, on an axis up to `top`. */
export function stepOf(top: number, unit: string, base: Base): number {
  return unit === "%" && top <= 100 ? 1 : niceStep(top / 200, binaryOf(unit, base));
}

/** The nearest value that a line may stand at, without digits that come of nothing but floating point. */
export function snapped(value: number, step: number, low: number, high: number): number {
  const next = Math.max(low, Math.min(high, Math.round(value / step) * step));
  return Number(next.toPrecision(6));
}

const typedValue = (typed: string): number | null => (Number.isNaN(numberOf(typed)) ? null : numberOf(typed));

/** Where the lines are; null: there is none. */
export const linesOf = (draft: LevelDraft): Record<Level, number | null> => ({
  warning: typedValue(draft.warning_raise),
  critical: typedValue(draft.critical_raise),
});

/** What changes when the line of `level` is moved to `value`: where the alert ends goes with it, at the same distance. */
export function moved(draft: LevelDraft, level: Level, value: number): Partial<LevelDraft> {
  const raise = typedValue(draft[`${level}_raise`]);
  const clear = typedValue(draft[`${level}_clear`]);
  const change = { [`${level}_raise`]: String(value) };
  if (raise === null || clear === null) return change;
  return { ...change, [`${level}_clear`]: String(Number((value - raise + clear).toPrecision(6))) };
}

/**
 * A line for a level that has none, on an axis from `low` to `high`: at three quarters of it, or beside the other line, the
 * warning on the side from which values come; upside down where a rule fires below.
 */
export function added(
  draft: LevelDraft & { comparison: "above" | "below" },
  level: Level,
  [low, high]: readonly [number, number],
  step: number,
): Partial<LevelDraft> {
  const other = linesOf(draft)[level === "warning" ? "critical" : "warning"];
  const [near, far] = draft.comparison === "above" ? [low, high] : [high, low];
  const between = (one: number, share: number, two: number) => one + share * (two - one);
  const value =
    other === null ? between(near, 0.75, far) : level === "warning" ? between(other, 0.15, near) : (other + far) / 2;
  return { [`${level}_raise`]: String(snapped(value, step, low, high)), [`${level}_clear`]: "" };
}

/** When a rehearsed rule would have fired on `host`, as stretches of its chart. */
export const spansOf = ({ episodes, unit, end }: Outcome, host: string, base: Base): ChartMark[] =>
  episodes
    .filter((one) => one.host === host)
    .map((one) => ({
      time: one.fired * 1000,
      end: (one.ended ?? end) * 1000,
      kind: "alert",
      level: one.severity,
      title: `Would have fired for ${duration(one.duration_s)}, ${one.severity}, up to ${text(one.peak, unit, base)}`,
    }));
