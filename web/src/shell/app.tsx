// The frame around every page: header, connection banner, announcements, and the page that the path asks for.
import { useEffect, useRef } from "preact/hooks";
import { nextTheme } from "../preferences.ts";
import { path } from "../router.ts";
import { Announcer } from "./announcer.tsx";
import { Banner } from "./banner.tsx";
import { Boundary } from "./boundary.tsx";
import { Header } from "./header.tsx";
import { lazy } from "./lazy.tsx";
import { LeaveDialog } from "./unsaved.tsx";

const FleetPage = lazy("the fleet", async () => (await import("../fleet/page.tsx")).FleetPage);
const HostPage = lazy("the host", async () => (await import("../host/page.tsx")).HostPage);
const AlertsPage = lazy("the alerts", async () => (await import("../alerts/page.tsx")).AlertsPage);
const SettingsPage = lazy("the settings", async () => (await import("../settings/page.tsx")).SettingsPage);

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
  const main = useRef<HTMLElement>(null);
  /** The page that has the focus at its beginning. */
  const shown = useRef(path.peek());
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const page = path.value;
  useEffect(() => {
    if (shown.current !== page) main.current?.focus({ preventScroll: true });
    shown.current = page;
  }, [page]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Header />
      <Banner />
      <main id="main" tabIndex={-1} ref={main}>
        <Boundary key={page} what="This page">
          <Page />
        </Boundary>
      </main>
      <LeaveDialog />
      <Announcer />
    </>
  );
}
