// The settings as the gateway has them, fetched again when the stream says that somebody changed one.
import { effect, untracked } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../api/client.ts";
import { type Loader, loader } from "../api/loading.ts";
import type { Setting, Settings } from "../api/types.gen.ts";
import { fleet, settingChange } from "../live/session.ts";

const ask = async (signal: AbortSignal): Promise<Setting[]> => (await get<Settings>("/settings", signal)).settings;

/** The settings, kept current while the page shows them. */
export function useSettings(): Loader<Setting[]> {
  const settings = useMemo(() => loader(ask), []);
  useEffect(() => {
    const stop = effect(() => {
      fleet.snapshots.value;
      // Alerts that are told, and what people do about them, change no setting.
      if (!["telling", "incidents"].includes(settingChange.value?.key ?? "")) untracked(settings.refresh);
    });
    return () => {
      stop();
      settings.close();
    };
  }, [settings]);
  return settings;
}

/** Takes one setting as it is now. All are asked for again: an answer on its way may be older than this one. */
export function putSetting(settings: Loader<Setting[]>, setting: Setting): void {
  const before = settings.state.peek().value ?? [];
  settings.put(before.map((one) => (one.key === setting.key ? setting : one)));
  settings.load();
}
