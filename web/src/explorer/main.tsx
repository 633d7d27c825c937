import { render } from "preact";
import "../style/tokens.css";
import "../style/base.css";
import "../style/demonstration.css";
import "../style/forms.css";
import "../style/explorer.css";
import { startPreferences } from "../preferences.ts";
import { Page } from "./page.tsx";

startPreferences();
render(<Page />, document.getElementById("app") as HTMLElement);
