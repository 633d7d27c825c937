// The last samples of one metric of one instance, in time order, without repeats.

export class Ring {
  readonly times: number[] = [];
  readonly values: (number | null)[] = [];
  /** Samples older than the newest by more than this are forgotten. */
  readonly keep_ms: number;

  constructor(keep_ms: number) {
    this.keep_ms = keep_ms;
  }

  /** Puts one sample in its place. A sample time that is already there keeps its value: what is sent twice counts once. */
  push(time: number, value: number | null): void {
    const { times, values } = this;
    const last = times.at(-1);
    if (last === undefined || time > last) {
      times.push(time);
      values.push(value);
      // Not with each sample, which would move all the others; nor seldom: rings of a thousand hosts grow at one time.
      if ((times[0] as number) < time - 1.1 * this.keep_ms) this.#trim(time - this.keep_ms);
      return;
    }
    if (time < last - this.keep_ms) return;
    const at = firstAtOrAfter(times, time);
    if (times[at] === time) return;
    times.splice(at, 0, time);
    values.splice(at, 0, value);
  }

  /** Number of samples that are no older than the newest by more than what is kept. */
  get kept(): number {
    return this.times.length - firstAtOrAfter(this.times, (this.times.at(-1) ?? 0) - this.keep_ms);
  }

  /** Writes the last `count` samples to `into` from place `at` on: their times, then their values, NaN for null. */
  pack(count: number, into: Float64Array, at: number): void {
    const from = this.times.length - count;
    for (let index = 0; index < count; index += 1) {
      into[at + index] = this.times[from + index] as number;
      into[at + count + index] = this.values[from + index] ?? Number.NaN;
    }
  }

  /** Puts the `count` samples that another ring packed in their places. Cheap where all of them are here, or none. */
  merge(count: number, packed: Float64Array, at: number): void {
    let place = 0;
    for (let index = at; index < at + count; index += 1) {
      const time = packed[index] as number;
      while ((this.times[place] as number) < time) place += 1;
      if (this.times[place] === time) continue;
      const value = packed[index + count] as number;
      this.push(time, Number.isNaN(value) ? null : value);
    }
  }

  #trim(before: number): void {
    const at = firstAtOrAfter(this.times, before);
    this.times.splice(0, at);
    this.values.splice(0, at);
  }

  /** Largest value since `from`; null when there is none. */
  peak(from: number): number | null {
    let peak: number | null = null;
    for (let at = firstAtOrAfter(this.times, from); at < this.times.length; at += 1) {
      const value = this.values[at] as number | null;
      if (value !== null && (peak === null || value > peak)) peak = value;
    }
    return peak;
  }
}

/** Index of the first entry of ascending `times` that is not before `time`; its length when there is none. */
export function firstAtOrAfter(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
