// Following one host with every metric, as long as a component is there.
import { useEffect, useMemo } from "preact/hooks";
import { follow } from "./session.ts";
import type { Store } from "./store.ts";

export function useDetail(id: string): Store {
  const detail = useMemo(() => follow(id), [id]);
  useEffect(() => detail.release, [detail]);
  return detail.store;
}
