// Settings of the whole system, and preferences of this browser.
import { useEffect } from "preact/hooks";
import { Withheld } from "../shell/allowed.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { Nothing } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { ThisBrowser } from "./browser.tsx";
import { ChannelsSection } from "./channels.tsx";
import { putSetting, useSettings } from "./data.ts";
import { RoutesSection } from "./routes.tsx";
import { SettingRow } from "./row.tsx";
import { grouped, groupId } from "./values.ts";
import "../style/forms.css";

export function SettingsPage() {
  useTitle("Settings");
  const settings = useSettings();
  const there = settings.state.value.value !== null;
  // The browser looks for the part that an address names when the page is not there yet.
  useEffect(() => {
    if (there && location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }, [there]);
  return (
    <div class="settings">
      <h1>Settings</h1>
      <ChannelsSection />
      <RoutesSection />
      <Loaded from={settings} what="The settings">
        {(all) =>
          all.length === 0 ? (
            <Nothing>This gateway has no settings to change.</Nothing>
          ) : (
            <>
              <Withheld needs="admin">You can look at the settings of this gateway, but not change them.</Withheld>
              {grouped(all).map(({ name, settings: members }) => (
                <section key={name} class="panel group" aria-labelledby={groupId(name)}>
                  <h2 id={groupId(name)}>{name}</h2>
                  {members.map((setting) => (
                    <SettingRow key={setting.key} setting={setting} onSaved={(saved) => putSetting(settings, saved)} />
                  ))}
                </section>
              ))}
            </>
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
