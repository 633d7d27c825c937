// The order of the fleet. Ties always fall back to the name, so that nothing moves without a reason.
import { STANDINGS, type Standing, type Summary } from "./summary.ts";

export type Sort = "worst" | "name" | "cpu" | "memory" | "disk" | "traffic";

export const SORTS: Record<Sort, string> = {
  worst: "Worst first",
  name: "Name",
  cpu: "CPU",
  memory: "Memory",
  disk: "Disk use",
  traffic: "Traffic",
};

export const parseSort = (text: string | null): Sort =>
  text !== null && Object.hasOwn(SORTS, text) ? (text as Sort) : "worst";

export interface Ordered {
  id: string;
  standing: Standing;
  summary: () => Summary;
}

const MEASURES: Partial<Record<Sort, (summary: Summary) => number | null>> = {
  cpu: (summary) => summary.cpu,
  memory: (summary) => summary.memory,
  disk: (summary) => summary.space?.value ?? null,
  traffic: (summary) => (summary.received ?? 0) + (summary.sent ?? 0),
};

/** True when the order changes with every sample. */
export const followsSamples = (sort: Sort): boolean => sort in MEASURES;

const names = new Intl.Collator(undefined, { numeric: true });

/** `hosts` in the order of `sort`; unknown values last. */
export function ordered<T extends Ordered>(hosts: readonly T[], sort: Sort): T[] {
  const measure = MEASURES[sort];
  const key = (host: T): number => {
    if (sort === "worst") return STANDINGS.indexOf(host.standing);
    return measure ? -(measure(host.summary()) ?? Number.NEGATIVE_INFINITY) : 0;
  };
  return hosts
    .map((host) => ({ host, key: key(host) }))
    .sort((a, b) => (a.key === b.key ? names.compare(a.host.id, b.host.id) : a.key - b.key))
    .map(({ host }) => host);
}
