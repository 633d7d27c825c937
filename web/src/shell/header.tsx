// The header: pages, how many hosts stand how, whether the numbers are live, the palette, and who is logged in.
import { tally } from "../alerts/data.ts";
import { STANDINGS } from "../fleet/summary.ts";
import { duration } from "../format.ts";
import type { StreamState } from "../live/messages.ts";
import { connection, fleet } from "../live/session.ts";
import { overlay } from "../palette/open.ts";
import { FLEET } from "../places.ts";
import { nextTheme, theme } from "../preferences.ts";
import { path } from "../router.ts";
import { AccountMenu } from "./account_menu.tsx";
import { Mark, SavedIcon, SearchIcon, STANDING_WORDS, StandingIcon, ThemeIcon } from "./icons.tsx";
import { PAGES } from "./pages.tsx";

const THEME_WORDS = { system: "Auto", light: "Light", dark: "Dark" };

export function Header() {
  return (
    <header class="header">
      <a class="brand" href={FLEET} aria-label="Sonde, fleet">
        <Mark />
        <span>Sonde</span>
      </a>
      <nav aria-label="Pages">
        {PAGES.map(({ href, name, Icon }) => {
          const here = href === FLEET ? path.value === "/" || path.value.startsWith("/hosts/") : path.value === href;
          return (
            <a key={href} href={href} aria-current={here ? "page" : undefined}>
              <Icon />
              <span>{name}</span>
            </a>
          );
        })}
      </nav>
      <Counts />
      <Connection />
      <Finder />
      <button
        type="button"
        class="quiet saved wide"
        title="Saved views"
        onClick={() => {
          overlay.value = "views";
        }}
      >
        <SavedIcon />
        <span class="hidden">Saved views</span>
      </button>
      <button type="button" class="quiet theme wide" onClick={nextTheme} title="Colours: automatic, light or dark (t)">
        <ThemeIcon theme={theme.value} />
        <span class="theme-word">{THEME_WORDS[theme.value]}</span>
        <span class="hidden"> colours, change</span>
      </button>
      <AccountMenu />
    </header>
  );
}

/** The way to the palette for those who do not know its keys, or have none. */
function Finder() {
  return (
    <button
      type="button"
      class="finder"
      aria-keyshortcuts="Control+K Meta+K"
      onClick={() => {
        overlay.value = "palette";
      }}
    >
      <SearchIcon />
      <span class="find-word">
        Find<span class="hidden"> a page, host, view or action</span>
      </span>
      <kbd>Ctrl K</kbd>
    </button>
  );
}

/** The fleet in one glance: how many hosts, and how many stand under each bad word. */
function Counts() {
  const count = tally.value;
  if (fleet.snapshots.value === 0) return <div class="counts" />;
  const bad = STANDINGS.filter((one) => one !== "up" && one !== "archived" && count[one] > 0);
  return (
    <div class="counts">
      <span class="wide">
        {fleet.ids.value.length} {fleet.ids.value.length === 1 ? "host" : "hosts"}
      </span>
      {bad.length === 0 && fleet.ids.value.length > 0 && (
        <span class="tone-up">
          <StandingIcon standing="up" />
          all up
        </span>
      )}
      {bad.map((one) => (
        <a
          key={one}
          class={`tone-${one}`}
          href={`/?show=${one}`}
          title={`${count[one]} ${STANDING_WORDS[one].toLowerCase()}`}
        >
          <StandingIcon standing={one} />
          {count[one]}
          <span class="hidden"> {STANDING_WORDS[one]}</span>
        </a>
      ))}
    </div>
  );
}

function Connection() {
  const state = connection.value;
  return (
    <span
      class={`connection ${state.kind === "lost" && state.fresh && state.poll_ms !== null ? "polled" : state.kind}`}
    >
      <i />
      {connectionWord(state)}
    </span>
  );
}

function connectionWord(state: StreamState): string {
  switch (state.kind) {
    case "live":
      return state.behind_ms > 0 ? "Behind" : "Live";
    case "lost":
      return state.fresh && state.poll_ms !== null ? `Every ${duration(state.poll_ms / 1000)}` : "Not live";
    case "out":
      return "Logged out";
    default:
      return "Connecting";
  }
}
