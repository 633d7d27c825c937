// The families of a host: those that it samples, and those that it sampled within the range of its charts.
import { type ReadonlySignal, type Signal, untracked, useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../api/client.ts";
import { type Loader, loader } from "../api/loading.ts";
import type { StoredFamilies } from "../api/types.gen.ts";
import { bounds } from "../charts/window.ts";
import { familiesIn } from "./charts.ts";
import type { View } from "./view.ts";

export interface Families {
  stored: Loader<StoredFamilies>;
  /** All of them in the order of their views, separated by commas. */
  all: ReadonlySignal<string>;
  /** Those that are only stored, separated by commas. */
  ended: ReadonlySignal<string>;
}

/** `latest`: paths of the metrics that have a latest value, separated by commas. */
export function useFamilies(
  host: string,
  latest: ReadonlySignal<string>,
  snapshots: Signal<number>,
  { window, edge }: View,
): Families {
  const stored = useMemo(
    () =>
      loader((signal) => {
        const { from, to } = bounds(window.peek(), edge.peek());
        const query = new URLSearchParams({ from: String(Math.floor(from)), to: String(Math.ceil(to)) });
        return get<StoredFamilies>(`/hosts/${encodeURIComponent(host)}/families?${query}`, signal);
      }),
    [host, window, edge],
  );
  useEffect(() => stored.close, [stored]);
  const sampled = useComputed(() => familiesIn(latest.value.split(",")).join());
  useSignalEffect(() => {
    window.value;
    snapshots.value;
    // What is sampled no more is stored.
    sampled.value;
    untracked(stored.load);
  });
  const all = useComputed(() =>
    familiesIn([...sampled.value.split(","), ...(stored.state.value.value?.families ?? [])]).join(),
  );
  const ended = useComputed(() => {
    const now = sampled.value.split(",");
    return all.value
      .split(",")
      .filter((name) => name && !now.includes(name))
      .join();
  });
  return useMemo(() => ({ stored, all, ended }), [stored, all, ended]);
}
