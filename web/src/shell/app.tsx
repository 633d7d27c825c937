// The frame around every page: header, connection banner, announcements, and the page that the path asks for.
import { useEffect, useRef } from "preact/hooks";
import { Cover, isShut, LoginPage } from "../login/cover.tsx";
import { gate } from "../login/me.ts";
import { Overlay } from "../palette/dialog.tsx";
import { overlay } from "../palette/open.ts";
import { FLEET, hostIn } from "../places.ts";
import { nextTheme } from "../preferences.ts";
import { path, query } from "../router.ts";
import { Announcer } from "./announcer.tsx";
import { Banner } from "./banner.tsx";
import { Boundary } from "./boundary.tsx";
import { Demonstration } from "./demonstration.tsx";
import { Header } from "./header.tsx";
import { lazy } from "./lazy.tsx";
import { Waiting } from "./states.tsx";
import { LeaveDialog } from "./unsaved.tsx";

const Wall = lazy("the wall", async () => (await import("../wall/wall.tsx")).Wall);
const FleetPage = lazy("the fleet", async () => (await import("../fleet/page.tsx")).FleetPage);
const HostPage = lazy("the host", async () => (await import("../host/page.tsx")).HostPage);
const AlertsPage = lazy("the alerts", async () => (await import("../alerts/page.tsx")).AlertsPage);
const AccountPage = lazy("the account", async () => (await import("../account/page.tsx")).AccountPage);
const PeoplePage = lazy("the people", async () => (await import("../people/page.tsx")).PeoplePage);
const AuditPage = lazy("the audit log", async () => (await import("../audit/page.tsx")).AuditPage);
const ViewersPage = lazy("the viewers", async () => (await import("../viewers/page.tsx")).ViewersPage);
const ComparePage = lazy("the comparison", async () => (await import("../compare/page.tsx")).ComparePage);
const SystemPage = lazy("the system", async () => (await import("../system/page.tsx")).SystemPage);
const SettingsPage = lazy("the settings", async () => (await import("../settings/page.tsx")).SettingsPage);

function Page() {
  const id = hostIn(path.value);
  if (id) return <HostPage key={id} id={id} />;
  switch (path.value) {
    case "/":
      return <FleetPage />;
    case "/compare":
      return <ComparePage />;
    case "/alerts":
      return <AlertsPage />;
    case "/system":
      return <SystemPage />;
    case "/settings":
      return <SettingsPage />;
    case "/account":
      return <AccountPage />;
    case "/people":
      return <PeoplePage />;
    case "/audit":
      return <AuditPage />;
    case "/viewers":
      return <ViewersPage />;
    default:
      return (
        <div class="empty">
          <h1>No such page</h1>
          <p>
            There is nothing at <code>{path.value}</code>. <a href={FLEET}>See the fleet</a>.
          </p>
        </div>
      );
  }
}

/** Keys that work everywhere, those without Ctrl not while something is typed. */
function onKey(event: KeyboardEvent): void {
  const inDialog = (event.target as Element).closest("dialog") !== null;
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k" && !inDialog) {
    event.preventDefault();
    overlay.value = "palette";
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if ((event.target as Element).closest("input, select, textarea, dialog")) return;
  if (event.key === "t") nextTheme();
  else if (event.key === "?") overlay.value = "keys";
  else if (event.key === "/") {
    const field = document.querySelector<HTMLInputElement>("input[type=search]");
    if (!field) return;
    event.preventDefault();
    field.focus();
  }
}

export function App() {
  return (
    <>
      <Demonstration />
      <Inside />
    </>
  );
}

function Inside() {
  if (isShut()) return <LoginPage />;
  if (gate.value === "asking") return <Asking />;
  return <Frame />;
}

/** Before it is known whether somebody is logged in: nothing, unless that takes long. */
function Asking() {
  return (
    <div class="asking">
      <Waiting what="the gateway" />
    </div>
  );
}

function Frame() {
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
  const walled = query.value.has("wall");
  return (
    <>
      {!walled && (
        <>
          <a class="skip" href="#main">
            Skip to content
          </a>
          <Header />
          <Banner />
        </>
      )}
      <main id="main" class={walled ? "on-wall" : ""} tabIndex={-1} ref={main}>
        <Boundary key={page} what="This page">
          <Page />
        </Boundary>
      </main>
      {walled && (
        <Boundary what="The wall">
          <Wall />
        </Boundary>
      )}
      <Boundary key={overlay.value} what="The dialog">
        <Overlay />
      </Boundary>
      <LeaveDialog />
      <Announcer />
      <Cover />
    </>
  );
}
