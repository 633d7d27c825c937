// A host's identity as the gateway has it: asked for with the page, once a minute, and when the stream is back.
import { type Signal, useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../api/client.ts";
import { type Loader, loader } from "../api/loading.ts";
import type { HostIdentity } from "../api/types.gen.ts";
import { now } from "../live/session.ts";

const EVERY_MS = 60_000;

/** The value is undefined for a host that never enrolled. */
export function useIdentity(id: string, snapshots: Signal<number>): Loader<HostIdentity | undefined> {
  const identity = useMemo(
    () => loader((signal) => get<HostIdentity | undefined>(`/hosts/${encodeURIComponent(id)}/identity`, signal)),
    [id],
  );
  useEffect(() => identity.close, [identity]);
  const turn = useComputed(() => Math.floor(now.value / EVERY_MS));
  useSignalEffect(() => {
    turn.value;
    snapshots.value;
    identity.refresh();
  });
  return identity;
}
