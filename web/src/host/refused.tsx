// A calm line a reason for which rows of this host were not stored; nothing where all were.
import type { Signal } from "@preact/signals";
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { get } from "../api/client.ts";
import type { HostDetail, Refusal } from "../api/types.gen.ts";
import { now } from "../live/session.ts";
import type { Entry } from "../live/store.ts";
import { refused } from "./refusals.ts";

const EVERY_MS = 60_000;

export function Refused({ entry, snapshots }: { entry: Entry; snapshots: Signal<number> }) {
  const refusals = useSignal<Refusal[]>([]);
  const turn = useComputed(() => Math.floor(now.value / EVERY_MS));
  useSignalEffect(() => {
    turn.value;
    snapshots.value;
    const abort = new AbortController();
    get<HostDetail>(`/hosts/${encodeURIComponent(entry.id)}`, abort.signal).then(
      (host) => {
        refusals.value = host.refusals;
      },
      () => {
        // What was known stays; that the gateway is away is told by the banner.
      },
    );
    return () => abort.abort();
  });
  const lines = refused(refusals.value, turn.value * EVERY_MS + EVERY_MS);
  return (
    <>
      {lines.map((line) => (
        <p key={line} class="refused" role="status" data-refused>
          {line}
        </p>
      ))}
    </>
  );
}
