// Which hosts there are: ids in their order, and those that were removed.
import { type Store, soon } from "./entries.ts";

/** Forgets all others. */
export function keepOnly(store: Store, named: ReadonlySet<string>): void {
  for (const id of store.entries.keys()) if (!named.has(id)) store.entries.delete(id);
}

/** Some hosts are not the fleet: they are shown when all have come. */
export const isBeginning = (store: Store): boolean => store.gathered !== null && store.snapshots.peek() === 0;

/** Lists one host more, in its place: a thousand that come one by one are not sorted a thousand times. */
export function listId(store: Store, id: string): void {
  if (isBeginning(store)) return;
  if (store.removed.peek().has(id))
    store.removed.value = new Set([...store.removed.peek()].filter((gone) => gone !== id));
  const ids = store.ids.peek();
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] as string) < id) low = middle + 1;
    else high = middle;
  }
  if (ids[low] !== id) store.ids.value = ids.toSpliced(low, 0, id);
}

/** Lists all hosts anew. */
export function listIds(store: Store): void {
  if (isBeginning(store)) return;
  store.due.news = true;
  soon(store);
  const ids = [...store.entries.keys()].sort();
  if (ids.some((id) => store.removed.peek().has(id)))
    store.removed.value = new Set([...store.removed.peek()].filter((id) => !store.entries.has(id)));
  if (ids.length !== store.ids.peek().length || ids.some((id, at) => id !== store.ids.peek()[at]))
    store.ids.value = ids;
}
