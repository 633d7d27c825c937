// A calm line a reason for which rows of this host were not stored; nothing where all were.
import { type Signal, useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { HostDetail } from "../api/types.gen.ts";
import { now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { refused } from "./refusals.ts";

const EVERY_MS = 60_000;

export function Refused({ entry, snapshots }: { entry: Entry; snapshots: Signal<number> }) {
  const refusals = useMemo(
    () => loader(async (signal) => (await get<HostDetail>(`/hosts/${encodeURIComponent(entry.id)}`, signal)).refusals),
    [entry],
  );
  useEffect(() => refusals.close, [refusals]);
  const turn = useComputed(() => Math.floor(now.value / EVERY_MS));
  useSignalEffect(() => {
    turn.value;
    snapshots.value;
    refusals.refresh();
  });
  const { value, error } = refusals.state.value;
  const lines = refused(value ?? [], turn.value * EVERY_MS + EVERY_MS);
  return (
    <>
      {lines.map((line) => (
        <p key={line} class="refused" role="status" data-refused>
          {line}
        </p>
      ))}
      {error && <p class="refused">Whether rows were refused is not known at the moment: {error}</p>}
    </>
  );
}
