// The frame around every page: header, connection banner, announcements, and the page that the path asks for.
import { useEffect } from "preact/hooks";
import { AlertsPage } from "../alerts/page.tsx";
import { FleetPage } from "../fleet/page.tsx";
import { HostPage } from "../host/page.tsx";
import { nextTheme } from "../preferences.ts";
import { path } from "../router.ts";
import { SettingsPage } from "../settings/page.tsx";
import { Announcer } from "./announcer.tsx";
import { Banner } from "./banner.tsx";
import { Header } from "./header.tsx";

function Page() {
  const id = /^\/hosts\/([a-z0-9-]{1,40})\/?$/.exec(path.value)?.[1];
  if (id) return <HostPage key={id} id={id} />;
  switch (path.value) {
    case "/":
      return <FleetPage />;
    case "/alerts":
      return <AlertsPage />;
    case "/settings":
      return <SettingsPage />;
    default:
      return (
        <div class="empty">
          <h1>No such page</h1>
          <p>
            There is nothing at <code>{path.value}</code>. <a href="/">See the fleet</a>.
          </p>
        </div>
      );
  }
}

/** Keys that work everywhere, except while something is typed. */
function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if ((event.target as Element).closest("input, select, textarea, dialog")) return;
  if (event.key === "t") nextTheme();
  else if (event.key === "/") {
    const field = document.querySelector<HTMLInputElement>("input[type=search]");
    if (!field) return;
    event.preventDefault();
    field.focus();
  }
}

export function App() {
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Header />
      <Banner />
      <main id="main" tabIndex={-1}>
        <Page />
      </main>
      <Announcer />
    </>
  );
}
