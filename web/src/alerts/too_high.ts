// The link from a line that is too high to the form of a rule about it. Pure.

export interface Line {
  metric: string;
  host: string;
  /** Empty where the metric has none. */
  instance?: string;
  /** What is too high. */
  value: number;
}

/** Where the form of a new rule opens with this line in view. */
export function tooHighHref({ metric, host, instance, value }: Line): string {
  const query = new URLSearchParams({ new: "rule", metric, host, value: String(Number(value.toPrecision(6))) });
  if (instance) query.set("instance", instance);
  return `/alerts?${query}`;
}

/** What `tooHighHref` puts into an address; null takes it out again. */
export const NO_LINE = { new: null, metric: null, host: null, value: null, instance: null };
