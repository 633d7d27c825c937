// On which steps a chart is drawn: those of the stored answer where it fits the window, otherwise those that the answer on
// its way will have. Whatever the two are, their number is bounded. Pure.
import type { Answered } from "./source.ts";

/** More steps than this are never drawn: there are more of them than pixels. */
export const MOST_STEPS = 2000;
/** A longer range's answer with fewer steps than this in the window shows no more than where the line was. */
const LEAST_STEPS = 20;

/** The steps that the gateway chooses from. */
const NICE_STEPS_S = [
  1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800, 3600, 7200, 10800,
  14400, 21600, 43200, 86400,
];

/** The step the gateway will take for `span_ms` (its rule in `history/resolution.py`). */
export function stepFor(span_ms: number, points: number, period_ms: number): number {
  const tooShort = (step_ms: number) => span_ms / step_ms > Math.max(1, points);
  if (!tooShort(period_ms)) return period_ms;
  const nice = NICE_STEPS_S.map((seconds) => seconds * 1000).filter(
    (step_ms) => step_ms > period_ms && (step_ms >= 60_000 || step_ms % period_ms === 0),
  );
  let step_ms = nice.find((candidate) => !tooShort(candidate)) ?? Math.max(86_400_000, period_ms);
  while (tooShort(step_ms)) step_ms *= 2;
  return step_ms;
}

export interface Grid {
  step_ms: number;
  /** The answer where its steps are drawn; null while it has to be waited for. */
  answer: Answered | null;
}

/** The grid to draw the window from `from` to `to` on, with what was answered last for this or another window. */
export function gridFor(answer: Answered | null, from: number, to: number, points: number, period_ms: number): Grid {
  const span_ms = to - from;
  if (answer !== null && answer.from < to && answer.to > from) {
    const steps = span_ms / answer.step_ms;
    const meant = answer.to - answer.from <= 2 * span_ms;
    if (steps <= MOST_STEPS && (meant || steps >= LEAST_STEPS)) return { step_ms: answer.step_ms, answer };
  }
  return { step_ms: stepFor(span_ms, points, period_ms), answer: null };
}

/** `step_ms`, or the least multiple of it of which no more than `MOST_STEPS` make up `span_ms`. */
export const boundedStep = (step_ms: number, span_ms: number): number =>
  step_ms * Math.max(1, Math.ceil(span_ms / step_ms / MOST_STEPS));

const round = (value: number): number => Math.round(value * 10) / 10;

/** A resolution in words: `raw, 1 s`, `raw, 6 s steps` or `minute, 3 min steps`. */
export function resolutionName(resolution: string, step_ms: number, period_ms: number): string {
  const seconds = step_ms / 1000;
  const step =
    seconds < 60
      ? `${round(seconds)} s`
      : seconds < 3600
        ? `${round(seconds / 60)} min`
        : seconds < 86_400
          ? `${round(seconds / 3600)} h`
          : `${round(seconds / 86_400)} d`;
  return step_ms > period_ms ? `${resolution}, ${step} steps` : `${resolution}, ${step}`;
}
