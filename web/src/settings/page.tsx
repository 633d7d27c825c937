// Settings of the whole system, and preferences of this browser.
import { Withheld } from "../shell/allowed.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { Nothing } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { ThisBrowser } from "./browser.tsx";
import { ChannelsSection } from "./channels.tsx";
import { putSetting, useSettings } from "./data.ts";
import { RoutesSection } from "./routes.tsx";
import { SettingRow } from "./row.tsx";
import { grouped } from "./values.ts";
import "../style/forms.css";

export function SettingsPage() {
  useTitle("Settings");
  const settings = useSettings();
  return (
    <div class="settings">
      <h1>Settings</h1>
      <Withheld needs="admin">You can look at these settings, but not change them.</Withheld>
      <ChannelsSection />
      <RoutesSection />
      <Loaded from={settings} what="The settings">
        {(all) =>
          all.length === 0 ? (
            <Nothing>This gateway has no settings to change.</Nothing>
          ) : (
            grouped(all).map(({ name, settings: members }, index) => (
              <section key={name} class="panel group" aria-labelledby={`group-${index}`}>
                <h2 id={`group-${index}`}>{name}</h2>
                {members.map((setting) => (
                  <SettingRow key={setting.key} setting={setting} onSaved={(saved) => putSetting(settings, saved)} />
                ))}
              </section>
            ))
          )
        }
      </Loaded>
      <ThisBrowser />
      <p class="hint">
        <a href="/api">Every request of the API, to read and to try</a>
      </p>
    </div>
  );
}
