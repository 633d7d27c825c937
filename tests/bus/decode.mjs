// Decodes batches from the bus, written from docs/bus.md alone: no code of Sonde, no library.
//
//     node decode.mjs catalogue.json < batches
//
// catalogue.json is the answer of GET /api/v1/metrics. Every line of input is a batch in hexadecimal; every line of
// output is that batch as JSON. Counts are strings, since they need 64 bits.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(length) {
    if (this.at + length > this.bytes.length) throw new Error("the message ends too early");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  unsigned(length) {
    let number = 0n;
    for (const byte of this.take(length)) number = (number << 8n) | BigInt(byte);
    return number;
  }

  signed(length) {
    return BigInt.asIntN(8 * length, this.unsigned(length));
  }

  text(length) {
    return new TextDecoder("utf-8", { fatal: true }).decode(this.take(length));
  }

  array(length) {
    return Array.from({ length }, () => this.value());
  }

  map(length) {
    return Object.fromEntries(Array.from({ length }, () => [this.value(), this.value()]));
  }

  // The MessagePack types that batches are made of; every integer becomes a BigInt.
  value() {
    const type = Number(this.unsigned(1));
    if (type < 0x80) return BigInt(type);
    if (type < 0x90) return this.map(type & 0x0f);
    if (type < 0xa0) return this.array(type & 0x0f);
    if (type < 0xc0) return this.text(type & 0x1f);
    if (type >= 0xe0) return BigInt(type - 0x100);
    if (type >= 0xcc && type <= 0xcf) return this.unsigned(1 << (type - 0xcc));
    if (type >= 0xd0 && type <= 0xd3) return this.signed(1 << (type - 0xd0));
    switch (type) {
      case 0xc0: return null;
      case 0xc4: case 0xc5: case 0xc6: return this.take(Number(this.unsigned(1 << (type - 0xc4))));
      case 0xd9: case 0xda: case 0xdb: return this.text(Number(this.unsigned(1 << (type - 0xd9))));
      case 0xdc: case 0xdd: return this.array(Number(this.unsigned(2 << (type - 0xdc))));
      case 0xde: case 0xdf: return this.map(Number(this.unsigned(2 << (type - 0xde))));
    }
    throw new Error(`MessagePack type 0x${type.toString(16)} does not occur in batches`);
  }
}

const SIZES = [0, 1, 2, 4, 8];

function little(bytes, at, size) {
  let number = 0n;
  for (let i = size - 1; i >= 0; i--) number = (number << 8n) | BigInt(bytes[at + i]);
  return BigInt.asIntN(8 * size, number);
}

/** The counts of a column of `rows` samples, null where unknown. */
function counts(column, rows) {
  if (!(column instanceof Uint8Array)) return Array(rows).fill(column);
  const first = SIZES[column[0] >> 4];
  const size = SIZES[column[0] & 15];
  const smallest = -(1n << BigInt(8 * size - 1));
  const found = [first ? little(column, 1, first) : null];
  let last = found[0] ?? 0n;
  let at = 1 + first;
  for (; found.length < rows; at += size) {
    const difference = little(column, at, size);
    if (difference !== smallest) last += difference;
    found.push(difference === smallest ? null : last);
  }
  if (at !== column.length) throw new Error(`a column of ${column.length} bytes for ${rows} samples`);
  return found;
}

/** A batch as plain data; what `metrics` (family -> code -> name) does not know is left out. */
function decode(bytes, metrics) {
  const reader = new Reader(bytes);
  const [host, epoch, lane, seq, differences, families] = reader.value();
  if (reader.at !== bytes.length) throw new Error("bytes after the batch");
  let now = 0n;
  const times = differences.map((difference) => (now += difference));
  const readings = [];
  const periods = {};
  for (const [family, codes, series, period = 0n] of families) {
    const names = metrics.get(family);
    if (!names) continue;
    periods[family] = Number(period);
    for (const [instance, labels, rows, columns] of series) {
      const own = rows === null ? times : rows.map((row) => times[Number(row)]);
      const known = codes.map((code, i) => [names.get(Number(code)), columns[i]]).filter(([name]) => name);
      readings.push({
        family,
        instance,
        labels,
        times: own.map(Number),
        columns: Object.fromEntries(known.map(([name, column]) => [name, counts(column, own.length)])),
      });
    }
  }
  return { host, epoch, lane, seq, periods, readings };
}

const catalogue = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const metrics = new Map(
  catalogue.families.map((family) => [family.name, new Map(family.metrics.map((m) => [m.code, m.name]))]),
);
const big = (_, value) => (typeof value === "bigint" ? value.toString() : value);
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(decode(Buffer.from(line, "hex"), metrics), big));
}
