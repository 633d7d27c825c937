// What happened at a moment or over a stretch, for charts to show behind their lines. Pure.

/** Something that happened; a `Mark` of the API is one. */
export interface ChartMark {
  /** Unix milliseconds. */
  time: number;
  /** Null for a moment, and for what still goes on. */
  end: number | null;
  kind: string;
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

const TONES: Record<string, Tone> = {
  critical: "--critical",
  warning: "--warning",
  alert: "--critical",
  rehearsed: "--warning",
  silence: "--accent",
  mute: "--accent",
};

/** Of a mark's kind. */
export const toneOf = (kind: string): Tone => (Object.hasOwn(TONES, kind) ? (TONES[kind] as Tone) : "--muted");

/**
 * What to draw of `marks` between two times on `width_px` pixels. Marks of one tone less than two pixels apart are one: a
 * year of reboots is no curtain.
 */
export function signsOf(marks: readonly ChartMark[], from: number, to: number, width_px: number): Sign[] {
  const least_ms = (2 * (to - from)) / Math.max(1, width_px);
  const last = new Map<string, Sign>();
  const signs: Sign[] = [];
  for (const mark of [...marks].sort((one, other) => one.time - other.time)) {
    const end = mark.end ?? mark.time;
    if (end < from || mark.time > to) continue;
    const lasting = end - mark.time >= least_ms;
    const tone = toneOf(mark.kind);
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

/** The marks at `time`: moments at most `near_ms` away, the nearest first, then stretches around it. */
export function marksAt(marks: readonly ChartMark[], time: number, near_ms: number): ChartMark[] {
  const away = ({ time: start, end }: ChartMark) =>
    time < start ? start - time : time > (end ?? start) ? time - (end ?? start) : 0;
  const found = marks.filter((mark) => away(mark) <= near_ms);
  const edge = (mark: ChartMark) => Math.min(Math.abs(mark.time - time), Math.abs((mark.end ?? mark.time) - time));
  return found.sort((one, other) => edge(one) - edge(other));
}
