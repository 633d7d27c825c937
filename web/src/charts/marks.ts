// What happened at a moment or over a stretch, for charts to show behind their lines. Pure.

/** Something that happened; a `Mark` of the API is one. */
export interface ChartMark {
  /** When it began, Unix milliseconds. */
  time: number;
  /** When it ended: `time` for what has no length; null while it goes on. */
  end: number | null;
  kind: string;
  level?: "info" | "warning" | "critical";
  title: string;
  detail?: string;
}

/** A colour of the page by its property's name. */
export type Tone = "--critical" | "--warning" | "--accent" | "--muted";

export interface Sign {
  from: number;
  to: number;
  tone: Tone;
  /** A stretch is tinted between two lines; a moment is one line. */
  lasting: boolean;
}

/** Serious things have the colours of alerts; what keeps people from being told has that of things they chose. */
export function toneOf({ kind, level }: Pick<ChartMark, "kind" | "level">): Tone {
  if (level === "critical" || level === "warning") return `--${level}`;
  return kind === "mute" || kind === "silence" ? "--accent" : "--muted";
}

const endOf = ({ end }: ChartMark): number => end ?? Number.POSITIVE_INFINITY;

/**
 * What to draw of `marks` between two times on `width_px` pixels. Marks of one tone less than two pixels apart are one: a
 * year of reboots is no curtain.
 */
export function signsOf(marks: readonly ChartMark[], from: number, to: number, width_px: number): Sign[] {
  const least_ms = (2 * (to - from)) / Math.max(1, width_px);
  const last = new Map<string, Sign>();
  const signs: Sign[] = [];
  for (const mark of [...marks].sort((one, other) => one.time - other.time)) {
    const end = endOf(mark);
    if (end < from || mark.time > to) continue;
    const lasting = end - mark.time >= least_ms;
    const tone = toneOf(mark);
    const before = last.get(`${tone} ${lasting}`);
    if (before && mark.time - before.to < least_ms) {
      before.to = Math.max(before.to, end);
      continue;
    }
    const sign = { from: mark.time, to: end, tone, lasting };
    last.set(`${tone} ${lasting}`, sign);
    signs.push(sign);
  }
  return signs;
}

/** The marks at `time`, at most `near_ms` away from where they are drawn, those nearest to a beginning or end first. */
export function marksAt(marks: readonly ChartMark[], time: number, near_ms: number): ChartMark[] {
  const edge = (mark: ChartMark) => Math.min(Math.abs(mark.time - time), Math.abs(endOf(mark) - time));
  return marks
    .filter((mark) => time >= mark.time - near_ms && time <= endOf(mark) + near_ms)
    .sort((one, other) => edge(one) - edge(other));
}
