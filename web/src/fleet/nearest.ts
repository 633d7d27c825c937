// Which known word somebody may have meant. Pure.

/** Most letters that may be otherwise. */
const TYPOS = 2;

/** What is most like a word that somebody may have mistyped; null when nothing is. */
export function nearestOf(word: string, known: Iterable<string>): string | null {
  let best: string | null = null;
  let least = Math.min(TYPOS, Math.floor(word.length / 2)) + 1;
  for (const one of known) {
    if (Math.abs(one.length - word.length) >= least) continue;
    const off = distance(word.toLowerCase(), one.toLowerCase());
    if (off < least) [best, least] = [one, off];
  }
  return best;
}

/** Letters to put in, take out, change or swap with their neighbour, to make one word of the other. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  const at = (i: number, j: number) => rows[i]?.[j] as number;
  for (let i = 1; i <= a.length; i += 1) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(i - 2, j - 2) + 1);
      (rows[i] as number[]).push(least);
    }
  }
  return at(a.length, b.length);
}
