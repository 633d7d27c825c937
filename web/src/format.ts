// Numbers, sizes, durations and times as people read them. Preferences are arguments, but for the zone of the page's clocks.
import { timeZone } from "./time/zone.ts";
import { wallOf, type ZoneName } from "./time/zones.ts";

/** 1024 for KiB, MiB ...; 1000 for kB, MB ... */
export type Base = 1024 | 1000;

/** A number and its unit apart, so that a page can set the unit smaller. */
export interface Quantity {
  value: string;
  unit: string;
}

const UNKNOWN: Quantity = { value: "–", unit: "" };
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const DECIMAL = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const COMPACT = ["", "k", "M", "G", "T"];

const formats = [0, 1, 2].map(
  (digits) => new Intl.NumberFormat(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
);

const POINT =
  (formats[1] as Intl.NumberFormat).formatToParts(0.5).find((part) => part.type === "decimal")?.value ?? ".";

/** `value` with exactly `digits` (0 to 2) digits after the point, grouped as the reader's locale does. */
export function fixed(value: number, digits: 0 | 1 | 2): string {
  return (formats[digits] as Intl.NumberFormat).format(value === 0 ? 0 : value);
}

/** Three significant digits at most: 0.52, 5.2, 52.1, 521. */
function significant(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return fixed(0, 0);
  if (size < 1) return fixed(value, 2);
  return fixed(value, size < 99.95 ? 1 : 0);
}

function scaled(value: number, base: number, names: string[]): Quantity {
  let size = Math.abs(value);
  let step = 0;
  while (size >= 999.5 && step < names.length - 1) {
    size /= base;
    step += 1;
  }
  const text = step === 0 ? fixed(size, 0) : significant(size);
  return { value: value < 0 ? `-${text}` : text, unit: names[step] as string };
}

export function bytes(value: number, base: Base): Quantity {
  return scaled(value, base, base === 1024 ? BINARY : DECIMAL);
}

/** `value` of a catalogue unit; null and undefined become a dash. */
export function quantity(value: number | null | undefined, unit: string, base: Base = 1024): Quantity {
  if (value === null || value === undefined || Number.isNaN(value)) return UNKNOWN;
  switch (unit) {
    case "%":
      return { value: fixed(value, Math.abs(value) < 99.95 ? 1 : 0), unit: "%" };
    case "B":
      return bytes(value, base);
    case "B/s": {
      const size = bytes(value, base);
      return { value: size.value, unit: `${size.unit}/s` };
    }
    case "s":
      return { value: duration(value), unit: "" };
    case "ms":
      return value >= 1000
        ? { value: significant(value / 1000), unit: "s" }
        : { value: significant(value), unit: "ms" };
    case "°C":
    case "W":
      return { value: significant(value), unit };
    case "MHz":
      return value >= 1000 ? { value: fixed(value / 1000, 2), unit: "GHz" } : { value: fixed(value, 0), unit: "MHz" };
    default: {
      const name = unit === "1/s" ? "/s" : unit;
      if (Math.abs(value) < 10_000)
        return { value: Number.isInteger(value) ? fixed(value, 0) : significant(value), unit: name };
      const size = scaled(value, 1000, COMPACT);
      return { value: size.value, unit: `${size.unit}${name}` };
    }
  }
}

/** `quantity` as one text. */
export function text(value: number | null | undefined, unit: string, base: Base = 1024): string {
  const { value: number, unit: name } = quantity(value, unit, base);
  return name ? `${number}\u00a0${name}` : number;
}

/** `1 host`, `4 hosts`: the plural is the word with an s unless it is given. */
export const counted = (count: number, one = "host", many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** A round number, such as an axis has, without digits that say nothing: `2.5 MiB`, `4 KiB`. */
export function round(value: number, unit: string, base: Base = 1024): string {
  const { value: number, unit: name } = unit === "%" ? { value: fixed(value, 2), unit } : quantity(value, unit, base);
  const [whole = "", digits = ""] = number.split(POINT);
  const said = digits.replace(/0+$/, "");
  const short = said ? `${whole}${POINT}${said}` : whole;
  return name ? `${short}\u00a0${name}` : short;
}

/** A limit as it was set: `90 %`, not `90.0 %`. */
export function limit(value: number | null | undefined, unit: string, base: Base = 1024): string {
  return value !== null && value !== undefined && Number.isInteger(value) && unit === "%"
    ? `${fixed(value, 0)}\u00a0%`
    : text(value, unit, base);
}

/** Seconds as the two largest units: `42 s`, `5 min`, `2 h 5 min`, `12 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60)
    return seconds > 0 && seconds < 10 && !Number.isInteger(seconds)
      ? `${significant(seconds)}\u00a0s`
      : `${whole}\u00a0s`;
  const parts: [number, string][] = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor((whole % 86400) / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count}\u00a0${name}`)
    .join(" ");
}

/** How long ago, in whole seconds, never negative: `0 s`, `42 s`, `5 min 3 s`. */
export function age(milliseconds: number): string {
  return duration(Math.floor(Math.max(0, milliseconds) / 1000));
}

const TIME = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
const KINDS = {
  clock: { ...TIME, second: "2-digit" },
  minute: TIME,
  day: { day: "numeric", month: "short" },
  date: { year: "numeric", month: "short", day: "numeric" },
  moment: { year: "numeric", month: "short", day: "numeric", ...TIME, second: "2-digit", timeZoneName: "short" },
} satisfies Record<string, Intl.DateTimeFormatOptions>;

const dates = new Map<string, Intl.DateTimeFormat>();

/** `ms` by the clocks of the page's zone, or of another one. */
function told(kind: keyof typeof KINDS, ms: number, zone: ZoneName = timeZone.value): string {
  const key = `${kind} ${zone}`;
  let found = dates.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(undefined, { ...KINDS[kind], timeZone: zone });
    dates.set(key, found);
  }
  return found.format(ms);
}

export const clock = (ms: number): string => told("clock", ms);
/** Date, time and zone, for titles and tables. */
export const moment = (ms: number): string => told("moment", ms);

/** The time of a day that is still going on at `now`, otherwise the date with hours and minutes. */
export const recent = (ms: number, now: number): string =>
  told("day", ms) === told("day", now) && now - ms < 86_400_000
    ? told("clock", ms)
    : `${told("day", ms)} ${told("minute", ms)}`;

const yearOf = (ms: number): number => wallOf(ms, timeZone.value).year;

/** A range for people, as short as it can be: the day is told unless it is the one of `now`, the year likewise. */
export function span(from: number, to: number, now = Date.now()): string {
  const thisYear = yearOf(from) === yearOf(now) && yearOf(to) === yearOf(now);
  const day = (ms: number) => told(thisYear ? "day" : "date", ms);
  if (to - from > 14 * 86_400_000) return `${day(from)} – ${day(to)}`;
  const time = (ms: number) => told(to - from < 300_000 ? "clock" : "minute", ms);
  if (day(from) !== day(to)) return `${day(from)} ${time(from)} – ${day(to)} ${time(to)}`;
  return `${day(from) === day(now) ? "" : `${day(from)}, `}${time(from)} – ${time(to)}`;
}

/** Axis labels for tick times `step_ms` apart; a day's first tick shows the date, a year's first one the year. */
export function ticks(times: number[], step_ms: number): string[] {
  let previous = "";
  let before = times.length > 0 ? yearOf(times[0] as number) : 0;
  return times.map((ms, at) => {
    const day = told("day", ms);
    const year = yearOf(ms);
    const turned = at > 0 && day !== previous;
    const newYear = year !== before;
    previous = day;
    before = year;
    if (newYear) return told("date", ms);
    if (step_ms >= 86_400_000 || turned) return day;
    return told(step_ms < 60_000 ? "clock" : "minute", ms);
  });
}
