// Wall clocks of time zones: from a moment to what a clock shows, and back. Pure.

/** What calendar and clock show; months from 1. */
export interface Wall {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

/** An IANA name such as `Europe/Vienna`; undefined is the zone of this browser. */
export type ZoneName = string | undefined;

const clocks = new Map<ZoneName, Intl.DateTimeFormat>();

function clockOf(zone: ZoneName): Intl.DateTimeFormat {
  let found = clocks.get(zone);
  if (!found) {
    found = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    clocks.set(zone, found);
  }
  return found;
}

/** Whether this browser knows a zone of that name. */
export function isZone(name: string): boolean {
  try {
    clockOf(name);
    return name !== "";
  } catch {
    return false;
  }
}

export function wallOf(ms: number, zone: ZoneName): Wall {
  const wall: Wall = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of clockOf(zone).formatToParts(ms))
    if (Object.hasOwn(wall, type)) wall[type as keyof Wall] = Number(value);
  return wall;
}

const asUtc = ({ year, month, day, hour, minute, second }: Wall): number =>
  Date.UTC(year, month - 1, day, hour, minute, second);

/** Milliseconds that the zone's clocks are ahead of UTC at a moment. */
export const offsetOf = (ms: number, zone: ZoneName): number => asUtc(wallOf(ms, zone)) - Math.floor(ms / 1000) * 1000;

/**
 * The moment at which the zone's clocks show `wall`: the first of two when clocks are set back. A time that clocks leave
 * out when they are set forward is taken as if they had not been. Days and hours beyond their range run on.
 */
export function instantOf(wall: Wall, zone: ZoneName): number {
  const shown = asUtc(wall);
  // A day before and after, as a zone sets its clocks at most once in that time.
  const before = shown - offsetOf(shown - 86_400_000, zone);
  if (offsetOf(before, zone) === shown - before) return before;
  const after = shown - offsetOf(shown + 86_400_000, zone);
  return offsetOf(after, zone) === shown - after ? after : before;
}

/** The midnight that the day of `ms` begins with, `days` later. */
export function midnight(ms: number, zone: ZoneName, days = 0): number {
  const wall = wallOf(ms, zone);
  return instantOf({ ...wall, day: wall.day + days, hour: 0, minute: 0, second: 0 }, zone);
}

/** `UTC`, `UTC+1`, `UTC+5:30` at a moment. */
export function offsetWord(ms: number, zone: ZoneName): string {
  const minutes = Math.round(offsetOf(ms, zone) / 60_000);
  if (minutes === 0) return "UTC";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** For `<input type="datetime-local">`: `2026-11-23T14:00:00`. */
export function fieldOf(ms: number, zone: ZoneName): string {
  const { year, month, day, hour, minute, second } = wallOf(ms, zone);
  const time = [hour, minute, second].map(two).join(":");
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T${time}`;
}

/** The moment that such a field tells; null when it is none. */
export function fieldTime(text: string, zone: ZoneName): number | null {
  const parts = /^(\d{4,6})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?/.exec(text);
  if (!parts) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1).map((part) => Number(part ?? 0));
  return instantOf({ year, month, day, hour, minute, second } as Wall, zone);
}
