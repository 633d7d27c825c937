// What the tables take, put together by family and by day. Pure.
import type { PartUse, StorageUse, TableUse } from "../api/types.gen.ts";

export interface FamilyUse {
  family: string;
  raw: number;
  minute: number;
  hour: number;
  /** Of all three. */
  bytes: number;
  /** Bytes of new rows a day; null where there are too few yet for a rate. */
  perDay: number | null;
  /** Bytes that it comes to with the retention in force; null: no rate yet. */
  need: number | null;
  /** Raw bytes of each day, as `days` of `Stored` has them. */
  byDay: readonly number[];
}

export interface Stored {
  /** Of UTC, oldest first, such as `2026-11-21`. */
  days: readonly string[];
  /** Largest first. */
  families: readonly FamilyUse[];
}

const sum = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value): value is number => value !== null);
  return known.length > 0 ? known.reduce((total, value) => total + value, 0) : null;
};

export function byFamily({ tables, parts }: Pick<StorageUse, "tables" | "parts">): Stored {
  const raw = parts.filter((part) => part.kind === "raw");
  const days = [...new Set(raw.map((part) => part.day))].sort();
  const families = [...new Set(tables.map((table) => table.family))].map((family) => {
    const own = tables.filter((table) => table.family === family);
    return familyUse(
      family,
      own,
      raw.filter((part) => part.family === family),
      days,
    );
  });
  return { days, families: families.sort((a, b) => b.bytes - a.bytes || a.family.localeCompare(b.family)) };
}

function familyUse(
  family: string,
  tables: readonly TableUse[],
  parts: readonly PartUse[],
  days: readonly string[],
): FamilyUse {
  const of = (kind: TableUse["kind"]) => sum(tables.map((table) => (table.kind === kind ? table.bytes : null))) ?? 0;
  const [raw, minute, hour] = [of("raw"), of("minute"), of("hour")];
  const onDay = new Map<string, number>();
  for (const { day, bytes } of parts) onDay.set(day, (onDay.get(day) ?? 0) + bytes);
  return {
    family,
    raw,
    minute,
    hour,
    bytes: raw + minute + hour,
    perDay: sum(tables.map((table) => table.bytes_per_day)),
    need: sum(tables.map((table) => table.need_bytes)),
    byDay: days.map((day) => onDay.get(day) ?? 0),
  };
}

/** Shares of a disk, in percent: what the database takes now, what it is still to come to, and what others take. */
export interface DiskShares {
  database: number;
  growth: number;
  others: number;
  /** Whether what it comes to does not fit. */
  full: boolean;
}

/** Null where the disk is another machine's, and not known. */
export function sharesOf(use: Pick<StorageUse, "database_bytes" | "need_bytes" | "free_bytes" | "disk_bytes">) {
  const { database_bytes, need_bytes, free_bytes, disk_bytes } = use;
  if (disk_bytes === null || free_bytes === null || disk_bytes <= 0) return null;
  const share = (bytes: number) => (100 * Math.max(0, bytes)) / disk_bytes;
  const growth = Math.max(0, (need_bytes ?? 0) - database_bytes);
  const shares: DiskShares = {
    database: share(Math.min(database_bytes, disk_bytes - free_bytes)),
    growth: share(Math.min(growth, free_bytes)),
    others: share(disk_bytes - free_bytes - database_bytes),
    full: growth > free_bytes,
  };
  return shares;
}
