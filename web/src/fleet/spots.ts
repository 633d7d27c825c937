// Places in the fleet as it is shown: of the keyboard's cursor, and of a selection that begins and ends somewhere. Pure.
import type { Group } from "./grouping.ts";

/** A host in a group: with several tags it is in several. */
export interface Spot {
  readonly group: string;
  readonly id: string;
}

type Groups = readonly Group<{ readonly id: string }>[];

/** Where a spot is: index of its group, and of its host there; null when it is not shown. */
export function indexOf(groups: Groups, spot: Spot | null): [group: number, at: number] | null {
  if (spot === null) return null;
  const group = groups.findIndex(({ name }) => name === spot.group);
  const at = groups[group]?.hosts.findIndex(({ id }) => id === spot.id) ?? -1;
  return at < 0 ? null : [group, at];
}

const spotAt = (groups: Groups, group: number, at: number): Spot | null => {
  const host = groups[group]?.hosts[at];
  return host ? { group: groups[group]?.name ?? "", id: host.id } : null;
};

/** The next spot, or the one before, also in the group beside; the same at either end. Null when there is nowhere to go. */
export function step(groups: Groups, from: Spot, by: 1 | -1): Spot | null {
  const found = indexOf(groups, from);
  if (!found) return spotAt(groups, 0, 0);
  const [group, at] = found;
  const beside = groups[group + by];
  return (
    spotAt(groups, group, at + by) ?? spotAt(groups, group + by, by > 0 ? 0 : (beside?.hosts.length ?? 0) - 1) ?? from
  );
}

/** Ids from one to the other, both included, whichever comes first; none when one of them is not there. */
export function between(order: readonly string[], from: string, to: string): readonly string[] {
  const [a, b] = [order.indexOf(from), order.indexOf(to)];
  if (a < 0 || b < 0) return [];
  return order.slice(Math.min(a, b), Math.max(a, b) + 1);
}

export function withAll(ids: ReadonlySet<string>, some: readonly string[], on: boolean): ReadonlySet<string> {
  const next = new Set(ids);
  for (const id of some)
    if (on) next.add(id);
    else next.delete(id);
  return next;
}
