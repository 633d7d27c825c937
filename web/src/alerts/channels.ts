// Channels as the gateway has them, with how they do.
import { useEffect } from "preact/hooks";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Channels } from "../api/types.gen.ts";
import { withSettings } from "./data.ts";

export const channels = loader<Channels>((signal) => get<Channels>("/channels", signal));

/** Keeps them current while they are shown. */
export function useChannels(): void {
  useEffect(() => {
    const stop = withSettings(["channels", "telling"], channels.refresh);
    return () => {
      stop();
      channels.close();
    };
  }, []);
}
