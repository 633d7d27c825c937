// Channels as the gateway has them, with how they do.
import { useEffect } from "preact/hooks";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Channels } from "../api/types.gen.ts";
import { useEvery } from "../live/every.ts";
import { withSettings } from "./data.ts";

export const channels = loader<Channels>((signal) => get<Channels>("/channels", signal));

/** No event tells that a channel is held, or that something was sent there: it is looked after so often. */
const LOOK_AGAIN_S = 15;

/** Keeps them current while they are shown. */
export function useChannels(): void {
  useEffect(() => {
    const stop = withSettings("channels", channels.refresh);
    return () => {
      stop();
      channels.close();
    };
  }, []);
  useEvery(LOOK_AGAIN_S, channels.refresh);
}
