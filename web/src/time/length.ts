// Lengths of time as people type them and as URLs say them: `90m`, `1h30m`. Pure.

const UNITS_MS: Record<string, number> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};
const WORD = /^(s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?|w|weeks?|y|years?)$/;

/** Milliseconds of `90m`, `1h30m`, `1.5 days`; null when it is no such thing. */
export function lengthOf(text: string): number | null {
  if (!/^(\d+(\.\d+)?\s*[a-z]+\s*)+$/.test(text)) return null;
  let sum = 0;
  for (const [, number, word = ""] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)) {
    if (!WORD.test(word)) return null;
    sum += Number(number) * (UNITS_MS[word.charAt(0)] as number);
  }
  return sum;
}

/** The shortest text of a length, in the largest unit that it is a whole number of: `90m`, `2d`. */
export function lengthText(length_ms: number): string {
  const [unit, one_ms] = Object.entries(UNITS_MS)
    .reverse()
    .find(([, ms]) => length_ms % ms === 0) ?? ["s", 1000];
  return `${Math.max(1, Math.round(length_ms / one_ms))}${unit}`;
}
