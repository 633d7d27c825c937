// Channels and routes as the gateway has them, fetched again when the stream says that something changed.
import { effect, untracked } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Channels, Routes } from "../api/types.gen.ts";
import { fleet, settingChange } from "../live/session.ts";

export const channels = loader<Channels>((signal) => get<Channels>("/channels", signal));
export const routes = loader<Routes>((signal) => get<Routes>("/routes", signal));

/** Keeps both current while they are shown. */
export function useTelling(): void {
  useEffect(() => {
    const stop = effect(() => {
      fleet.snapshots.value;
      settingChange.value;
      untracked(channels.refresh);
      untracked(routes.refresh);
    });
    return () => {
      stop();
      channels.close();
      routes.close();
    };
  }, []);
}
