import { render } from "preact";
import "./style/tokens.css";
import "./style/base.css";
import "./style/shell.css";
import "./style/demonstration.css";
import "./style/tables.css";
import { startAlerts } from "./alerts/data.ts";
import { startSession } from "./live/session.ts";
import { startArrivals } from "./login/cover.tsx";
import { onceOpen, startSessionWatch } from "./login/me.ts";
import { startPreferences } from "./preferences.ts";
import { startRouter } from "./router.ts";
import { App } from "./shell/app.tsx";
import { startGuard } from "./shell/unsaved.tsx";
import { startZone } from "./time/choice.ts";
import { startWithPage } from "./views/start.ts";

startSessionWatch();
startPreferences();
startArrivals();
startRouter();
startWithPage();
startZone();
startGuard();
onceOpen(() => {
  startSession();
  startAlerts();
  import("./notify/telling.ts").then(
    (notify) => notify.startTelling(),
    // The page says the same.
    () => {},
  );
  import("./views/account.ts").then(
    (account) => account.startPreferencesOfAccount(),
    // Without them what this browser keeps counts.
    () => {},
  );
});
import("./offline/register.ts").then(
  (offline) => offline.startOffline(),
  // Then the dashboard is fetched each time.
  () => {},
);
render(<App />, document.getElementById("app") as HTMLElement);
