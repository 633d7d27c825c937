// Settings of the whole system, and preferences of this browser.
import { useSignal, useSignalEffect } from "@preact/signals";
import { get, reasonOf } from "../api/client.ts";
import type { Setting, Settings } from "../api/types.gen.ts";
import { fleet, settingChange } from "../live/session.ts";
import { theme, units } from "../preferences.ts";
import { useTitle } from "../shell/title.ts";
import { SettingRow } from "./row.tsx";
import { SlackTest } from "./slack.tsx";
import { grouped } from "./values.ts";
import "../style/forms.css";

export function SettingsPage() {
  useTitle("Settings");
  const settings = useSignal<Setting[] | null>(null);
  const error = useSignal<string | null>(null);

  useSignalEffect(() => {
    // Asked again when the stream comes back, and when it tells that somebody changed one.
    fleet.snapshots.value;
    settingChange.value;
    const abort = new AbortController();
    get<Settings>("/settings", abort.signal).then(
      (got) => {
        settings.value = got.settings;
        error.value = null;
      },
      (reason: unknown) => {
        if (!abort.signal.aborted) error.value = reasonOf(reason);
      },
    );
    return () => abort.abort();
  });

  const saved = (setting: Setting) => {
    settings.value = settings.value?.map((one) => (one.key === setting.key ? setting : one)) ?? null;
  };
  return (
    <div class="settings">
      <h1>Settings</h1>
      {error.value && (
        <p class="notice bad" role="alert">
          {error.value}
        </p>
      )}
      {settings.value &&
        grouped(settings.value).map(({ name, settings: members }) => (
          <section key={name} class="panel group" aria-label={name}>
            <h2>{name}</h2>
            {members.map((setting) => (
              <SettingRow key={setting.key} setting={setting} onSaved={saved}>
                {setting.key === "slack_webhook_url" && <SlackTest ready={setting.set} />}
              </SettingRow>
            ))}
          </section>
        ))}
      <section class="panel group" aria-label="This browser">
        <h2>This browser</h2>
        <p class="hint">Kept here only; nobody else sees it.</p>
        <div class="setting">
          <label for="theme">Colours</label>
          <div class="control">
            <select
              id="theme"
              value={theme.value}
              onChange={(event) => {
                theme.value = event.currentTarget.value as typeof theme.value;
              }}
            >
              <option value="system">As the system</option>
              <option value="light">Light</option>
              <option value="dark">Dark</option>
            </select>
          </div>
        </div>
        <div class="setting">
          <label for="units">Sizes</label>
          <div class="control">
            <select
              id="units"
              value={units.value}
              onChange={(event) => {
                units.value = event.currentTarget.value as typeof units.value;
              }}
            >
              <option value="binary">Binary: KiB, MiB, GiB</option>
              <option value="decimal">Decimal: kB, MB, GB</option>
            </select>
          </div>
        </div>
      </section>
    </div>
  );
}
