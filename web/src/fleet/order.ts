// The order of the fleet. Ties always fall back to the name, so that nothing moves without a reason. Pure.
import { STANDINGS, type Standing, type Summary, traffic } from "./summary.ts";

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
  /** As far as was known last: a stream that goes away moves nothing. */
  readonly lastStanding: Standing;
  summary: () => Summary;
}

const MEASURES: Partial<Record<Sort, (summary: Summary) => number | null>> = {
  cpu: (summary) => summary.cpu,
  memory: (summary) => summary.memory,
  disk: (summary) => summary.space?.value ?? null,
  traffic,
};

/** True when the order changes with every sample. */
export const followsSamples = (sort: Sort): boolean => sort in MEASURES;

const names = new Intl.Collator(undefined, { numeric: true });

/** By what they are called on the page; of those called alike, by what they are. */
export const byName = <T extends { id: string; name: string }>(hosts: readonly T[]): T[] =>
  hosts
    .map((host) => ({ host, name: host.name }))
    .sort((a, b) => names.compare(a.name, b.name) || names.compare(a.host.id, b.host.id))
    .map(({ host }) => host);

/** `hosts`, given in the order of their names, in that of `sort`; unknown values last, equal ones as they were. */
export function ordered<T extends Ordered>(hosts: readonly T[], sort: Sort): readonly T[] {
  if (sort === "worst") return worstFirst(hosts);
  const measure = MEASURES[sort];
  if (!measure) return hosts;
  return hosts
    .map((host) => ({ host, value: measure(host.summary()) ?? Number.NEGATIVE_INFINITY }))
    .sort((a, b) => (a.value === b.value ? 0 : b.value - a.value))
    .map(({ host }) => host);
}

/** By sorting into six boxes: this is done again with every change of any host. */
function worstFirst<T extends Ordered>(hosts: readonly T[]): T[] {
  const boxes = new Map<Standing, T[]>(STANDINGS.map((standing) => [standing, []]));
  for (const host of hosts) boxes.get(host.lastStanding)?.push(host);
  return [...boxes.values()].flat();
}
