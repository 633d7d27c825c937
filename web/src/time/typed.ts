// Ranges as people type them: `-90m`, `yesterday 14:00-15:00`, `20 Nov 9:00 to 21 Nov`. Pure.
import { LONGEST_MS, SHORTEST_MS } from "../charts/window.ts";
import { lengthOf } from "./length.ts";
import { fieldTime, instantOf, midnight, type Wall, wallOf, type ZoneName } from "./zones.ts";

export type Typed =
  /** The last so many milliseconds, sliding. */
  { kind: "live"; span_ms: number } | { kind: "fixed"; from: number; to: number } | { kind: "wrong"; why: string };

export const EXAMPLES = ["-90m", "yesterday 14:00-15:00", "monday", "20 Nov 9:00 to 21 Nov", "-2d to -1d"] as const;

const HOUR_MS = 3_600_000;
const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/** Between two times; a hyphen may also be part of a date, so that it comes last. */
const BETWEEN = /\s+to\s+|\s+until\s+|\.\.\.?|\s*[–—]\s*|\s+-\s+|-/g;
/** A time alone is shown with so much before and after it. */
const AROUND_MS = HOUR_MS / 2;

/** A time, or a stretch that has a name, such as a day. */
interface Point {
  from: number;
  to: number;
  /** Midnight of its day, where it names one. */
  day: number | null;
  /** A clock time that names no day. */
  clock: [hour: number, minute: number, second: number] | null;
}

/** The range that `text` means at the moment `now`, in the clocks of `zone`. */
export function parseTyped(text: string, now: number, zone: ZoneName): Typed {
  const asked = text.trim().toLowerCase().replaceAll("−", "-").replace(/\s+/g, " ");
  if (!asked) return wrong("Type a range");
  const length_ms = lengthOf(asked.replace(/^(-\s*|last |past )/, ""));
  if (length_ms !== null) {
    if (length_ms < SHORTEST_MS || length_ms > LONGEST_MS)
      return wrong(`A range is from ${SHORTEST_MS / 1000} seconds to ten years`);
    return { kind: "live", span_ms: length_ms };
  }
  const alone = pointOf(asked, now, zone);
  if (alone) {
    const moment = alone.from === alone.to;
    return fixed(moment ? alone.from - AROUND_MS : alone.from, moment ? alone.to + AROUND_MS : alone.to, now);
  }
  for (const { index, 0: sign } of asked.matchAll(BETWEEN)) {
    const first = pointOf(asked.slice(0, index).trim(), now, zone);
    const last = pointOf(asked.slice(index + sign.length).trim(), now, zone);
    if (first && last) return between(first, last, now, zone);
  }
  return wrong(`“${text.trim()}” is no range. Try ${EXAMPLES.slice(0, 3).join(", ")}`);
}

/** The range between two texts of `datetime-local` fields. */
export function endsTyped(first: string, last: string, now: number, zone: ZoneName): Typed {
  const [from, to] = [fieldTime(first, zone), fieldTime(last, zone)];
  if (from === null || to === null) return wrong("Both ends need a date and a time");
  if (to <= from) return wrong("The end must be after the beginning");
  return fixed(from, to, now);
}

const wrong = (why: string): Typed => ({ kind: "wrong", why });

function between(first: Point, last: Point, now: number, zone: ZoneName): Typed {
  let [from, to] = [first.from, last.to];
  if (last.clock && first.day !== null) to = clockOn(first.day, last.clock, zone);
  else if (first.clock && last.day !== null) from = clockOn(last.day, first.clock, zone);
  if (to <= from && last.clock) to = clockOn(midnight(to, zone, 1), last.clock, zone);
  if (to <= from) return wrong("The end is before the beginning");
  return fixed(from, to, now);
}

function fixed(from: number, to: number, now: number): Typed {
  if (from > now) return wrong("That is still to come");
  if (!(from >= now - LONGEST_MS)) return wrong("That is more than ten years ago");
  return { kind: "fixed", from, to };
}

function pointOf(text: string, now: number, zone: ZoneName): Point | null {
  if (text === "now") return { from: now, to: now, day: null, clock: null };
  const ago = /^-\s*(.+)$/.exec(text)?.[1] ?? /^(.+) ago$/.exec(text)?.[1];
  if (ago) {
    const length_ms = lengthOf(ago);
    return length_ms === null ? null : { from: now - length_ms, to: now - length_ms, day: null, clock: null };
  }
  const instant = /^\d{4}-\d\d-\d\dt[\d:.]+(z|[+-](0\d|1[0-4]):?\d\d)$/.test(text)
    ? Date.parse(text.toUpperCase())
    : Number.NaN;
  if (!Number.isNaN(instant)) return { from: instant, to: instant, day: null, clock: null };

  const parts = /^(.*?)[ t]?(?:at )?(\d{1,2}):(\d\d)(?::(\d\d))?$/.exec(text);
  const clock = parts ? ([Number(parts[2]), Number(parts[3]), Number(parts[4] ?? 0)] as Point["clock"]) : null;
  if (clock && (clock[0] > 24 || clock[1] > 59 || clock[2] > 59)) return null;
  const named = (parts ? (parts[1] as string) : text).trim();
  if (clock && named === "") {
    const today = clockOn(midnight(now, zone), clock, zone);
    const at = today > now ? clockOn(midnight(now, zone, -1), clock, zone) : today;
    return { from: at, to: at, day: null, clock };
  }
  const days = daysOf(named, now, zone);
  if (!days) return null;
  if (!clock) return { ...days, day: days.from, clock: null };
  const at = clockOn(days.from, clock, zone);
  return { from: at, to: at, day: days.from, clock: null };
}

/** `clock` on the day that begins at `day`. */
const clockOn = (day: number, [hour, minute, second]: NonNullable<Point["clock"]>, zone: ZoneName): number =>
  instantOf({ ...wallOf(day, zone), hour, minute, second }, zone);

/** The days that a word or date means, from midnight to midnight, but no longer than to the present. */
function daysOf(text: string, now: number, zone: ZoneName): { from: number; to: number } | null {
  const today = wallOf(now, zone);
  const weekday = new Date(Date.UTC(today.year, today.month - 1, today.day)).getUTCDay();
  const monday = (weekday + 6) % 7;
  const stretch = (from: Partial<Wall>, to: Partial<Wall>) => {
    const begin = instantOf({ ...today, hour: 0, minute: 0, second: 0, ...from }, zone);
    const end = instantOf({ ...today, hour: 0, minute: 0, second: 0, ...to }, zone);
    return { from: begin, to: Math.max(begin, Math.min(end, now)) };
  };
  const day = (days: number) => stretch({ day: today.day - days }, { day: today.day - days + 1 });
  switch (text) {
    case "today":
      return day(0);
    case "yesterday":
      return day(1);
    case "this week":
      return stretch({ day: today.day - monday }, { day: today.day + 1 });
    case "last week":
      return stretch({ day: today.day - monday - 7 }, { day: today.day - monday });
    case "this month":
      return stretch({ day: 1 }, { day: today.day + 1 });
    case "last month":
      return stretch({ month: today.month - 1, day: 1 }, { day: 1 });
  }
  const named = WEEKDAYS.findIndex((name) => text.length >= 3 && name.startsWith(text.replace(/^last /, "")));
  if (named >= 0 && text.replace(/^last /, "").length >= 3) return day((weekday - named + 7) % 7 || 7);
  const date = dateOf(text, today);
  if (!date) return null;
  const { year, month } = date;
  const exact = new Date(Date.UTC(year, month - 1, date.day));
  if (exact.getUTCMonth() !== month - 1 || exact.getUTCDate() !== date.day) return null;
  return stretch(date, { ...date, day: date.day + 1 });
}

/** A date without its time: `2026-11-20`, `20 Nov`, `nov 20 2026`, `20.11.`; without a year the last one of that name. */
function dateOf(text: string, today: Wall): Pick<Wall, "year" | "month" | "day"> | null {
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text);
  if (iso) return { year: Number(iso[1]), month: Number(iso[2]), day: Number(iso[3]) };
  const dotted = /^(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})?$/.exec(text);
  const worded =
    /^(\d{1,2})\.? ([a-z]{3,9})\.?,?(?: (\d{4}))?$/.exec(text) ??
    /^(?<month>[a-z]{3,9})\.? (?<day>\d{1,2}),?(?: (?<year>\d{4}))?$/.exec(text);
  const [day, word, year] = worded?.groups
    ? [worded.groups.day, worded.groups.month, worded.groups.year]
    : [dotted?.[1] ?? worded?.[1], dotted?.[2] ?? worded?.[2], dotted?.[3] ?? worded?.[3]];
  if (!day || !word) return null;
  const month = dotted ? Number(word) : MONTHS.findIndex((name) => word.startsWith(name)) + 1;
  if (month < 1 || month > 12) return null;
  const later = month > today.month || (month === today.month && Number(day) > today.day);
  return { year: year ? Number(year) : today.year - (later ? 1 : 0), month, day: Number(day) };
}
