// The settings as the gateway has them, fetched again when the stream says that somebody changed one.
import { effect } from "@preact/signals";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Setting, Settings } from "../api/types.gen.ts";
import { fleet, settingChange } from "../live/session.ts";

export const settings = loader<Setting[]>(async (signal) => (await get<Settings>("/settings", signal)).settings);

/** Keeps the settings current until the returned function is called. */
export function followSettings(): () => void {
  const stop = effect(() => {
    fleet.snapshots.value;
    settingChange.value;
    settings.load();
  });
  return () => {
    stop();
    settings.close();
  };
}

/** Takes one setting as it is now. All are asked for again: an answer on its way may be older than this one. */
export function putSetting(setting: Setting): void {
  const before = settings.state.peek().value ?? [];
  settings.put(before.map((one) => (one.key === setting.key ? setting : one)));
  settings.load();
}
