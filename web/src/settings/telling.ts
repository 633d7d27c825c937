// Channels and routes as the gateway has them, fetched again when the stream says that they changed.
import { effect } from "@preact/signals";
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
      const key = settingChange.value?.key;
      if (key !== "routes") channels.refresh();
      if (key !== "channels") routes.refresh();
    });
    return () => {
      stop();
      channels.close();
      routes.close();
    };
  }, []);
}
