// A week as its minutes, and the stretches of days that they make up: what a route keeps, and what the grid paints. Pure.
import { DAY_WORDS, type Day } from "../alerts/telling.ts";
import type { Span } from "../api/types.gen.ts";

export const DAYS = Object.keys(DAY_WORDS) as Day[];
const DAY_MIN = 24 * 60;
const WEEK_MIN = 7 * DAY_MIN;
/** What one cell of the grid stands for. */
export const SLOT_MIN = 30;
export const SLOTS = DAY_MIN / SLOT_MIN;

/** One entry a minute of the week, from Monday midnight on; 1 where a stretch is. */
export type Week = Uint8Array;

const minuteOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));

const two = (value: number): string => String(value).padStart(2, "0");
/** A minute of the day as `07:30`; the end of the day is 24:00. */
export const timeOf = (minute: number): string => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;

/** The minutes that stretches cover; those that lack a beginning or an end cover none. */
export function weekOf(spans: readonly Span[]): Week {
  const week = new Uint8Array(WEEK_MIN);
  for (const { days, start, until } of spans) {
    if (start === "" || until === "") continue;
    const length = minuteOf(until) - minuteOf(start);
    for (const day of days) {
      const begin = DAYS.indexOf(day) * DAY_MIN + minuteOf(start);
      const end = begin + (length > 0 ? length : length + DAY_MIN);
      for (let minute = begin; minute < end; minute += 1) week[minute % WEEK_MIN] = 1;
    }
  }
  return week;
}

/** The fewest stretches that cover just these minutes, those of several days as one. */
export function spansOf(week: Week): Span[] {
  const found: Span[] = [];
  const add = (at: number, length: number) => {
    const start = timeOf(at % DAY_MIN);
    const end = (at % DAY_MIN) + length;
    const until = timeOf(end > DAY_MIN ? end - DAY_MIN : end);
    const day = DAYS[Math.floor(at / DAY_MIN)] as Day;
    const same = found.find((one) => one.start === start && one.until === until);
    if (same) same.days = DAYS.filter((one) => one === day || same.days.includes(one));
    else found.push({ days: [day], start, until });
  };
  for (const { from, to } of runs(week)) {
    // A day and a night at most is one stretch; what is longer ends and begins at midnights.
    if (to - from <= DAY_MIN) add(from % WEEK_MIN, to - from);
    else
      for (let at = from; at < to; ) {
        const next = Math.min(to, (Math.floor(at / DAY_MIN) + 1) * DAY_MIN);
        add(at % WEEK_MIN, next - at);
        at = next;
      }
  }
  return found.sort((a, b) => DAYS.indexOf(a.days[0] as Day) - DAYS.indexOf(b.days[0] as Day));
}

/** Minutes that follow one another, past the end of the week where it goes on there. */
function runs(week: Week): { from: number; to: number }[] {
  const first = week.findIndex((here, at) => here === 1 && week[(at + WEEK_MIN - 1) % WEEK_MIN] === 0);
  if (first < 0) return week[0] === 1 ? [{ from: 0, to: WEEK_MIN }] : [];
  const found: { from: number; to: number }[] = [];
  let from: number | null = null;
  for (let at = first; at <= first + WEEK_MIN; at += 1) {
    const here = week[at % WEEK_MIN] === 1 && at < first + WEEK_MIN;
    if (here && from === null) from = at;
    else if (!here && from !== null) {
      found.push({ from, to: at });
      from = null;
    }
  }
  return found;
}

/** A cell of the grid: a day from Monday, 0, on, and a slot of it. */
export interface Cell {
  day: number;
  slot: number;
}

/** How much of a cell is covered. */
export function fillOf(week: Week, { day, slot }: Cell): "none" | "part" | "all" {
  const from = day * DAY_MIN + slot * SLOT_MIN;
  const covered = week.subarray(from, from + SLOT_MIN).reduce((sum, one) => sum + one, 0);
  return covered === 0 ? "none" : covered === SLOT_MIN ? "all" : "part";
}

export const inside = ({ day, slot }: Cell, one: Cell, other: Cell): boolean =>
  day >= Math.min(one.day, other.day) &&
  day <= Math.max(one.day, other.day) &&
  slot >= Math.min(one.slot, other.slot) &&
  slot <= Math.max(one.slot, other.slot);

/** `week` with the cells between two corners covered, or free, as the first of them is not. */
export function painted(week: Week, one: Cell, other: Cell): Week {
  const next = week.slice();
  const value = fillOf(week, one) === "all" ? 0 : 1;
  const [from, to] = [Math.min(one.slot, other.slot), Math.max(one.slot, other.slot) + 1];
  for (let day = Math.min(one.day, other.day); day <= Math.max(one.day, other.day); day += 1)
    next.fill(value, day * DAY_MIN + from * SLOT_MIN, day * DAY_MIN + to * SLOT_MIN);
  return next;
}

/** The stretch between two corners: `Mon to Fri, 22:00 to 24:00`. */
export function cellWords(one: Cell, other: Cell): string {
  const days = [one.day, other.day].sort((a, b) => a - b).map((day) => DAY_WORDS[DAYS[day] as Day]);
  const [from, to] = [Math.min(one.slot, other.slot), Math.max(one.slot, other.slot) + 1];
  const which = days[0] === days[1] ? days[0] : `${days[0]} to ${days[1]}`;
  return `${which}, ${timeOf(from * SLOT_MIN)} to ${timeOf(to * SLOT_MIN)}`;
}
