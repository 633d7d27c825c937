// What somebody prefers. It applies at once, and is kept with their account; without one, in this browser.
import type { Signal } from "@preact/signals";
import { NotifyChoice } from "../notify/choice.tsx";
import { contrast, density, theme, units, zonePreferred } from "../preferences.ts";
import { ZONE_WORDS } from "../time/choice.ts";
import { Unstored } from "../views/unstored.tsx";

const ABOUT = "Kept with your account; without one, in this browser.";

export function ThisBrowser() {
  return (
    <section class="panel group" aria-labelledby="this-browser">
      <h2 id="this-browser">How you like it</h2>
      <Choice
        name="theme"
        label="Colours"
        about={ABOUT}
        value={theme}
        options={{ system: "As the system", light: "Light", dark: "Dark" }}
      />
      <Choice
        name="contrast"
        label="Contrast"
        about={ABOUT}
        value={contrast}
        options={{ system: "As the system", more: "High" }}
      />
      <Choice
        name="units"
        label="Sizes"
        about={ABOUT}
        value={units}
        options={{ binary: "Binary: KiB, MiB, GiB", decimal: "Decimal: kB, MB, GB" }}
      />
      <Choice
        name="density"
        label="Rows of the fleet’s table"
        about={ABOUT}
        value={density}
        options={{ comfortable: "Comfortable", compact: "Compact" }}
      />
      <Choice
        name="zone"
        label="Times"
        about="Kept with your account. A page of a host may show the host’s time."
        value={zonePreferred}
        options={ZONE_WORDS}
      />
      <Unstored />
      <NotifyChoice />
    </section>
  );
}

interface ChoiceProps<T extends string> {
  name: string;
  label: string;
  about: string;
  value: Signal<T>;
  options: Record<T, string>;
}

function Choice<T extends string>({ name, label, about, value, options }: ChoiceProps<T>) {
  return (
    <div class="setting">
      <label for={name}>{label}</label>
      <div class="control">
        <select
          id={name}
          value={value.value}
          aria-describedby={`${name}-about`}
          onChange={(event) => {
            value.value = event.currentTarget.value as T;
          }}
        >
          {(Object.keys(options) as T[]).map((one) => (
            <option key={one} value={one}>
              {options[one]}
            </option>
          ))}
        </select>
      </div>
      <p class="hint" id={`${name}-about`}>
        {about}
      </p>
    </div>
  );
}
