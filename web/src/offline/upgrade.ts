// Notices that the gateway serves another dashboard than the one in this tab, which has been open for long, or came from what
// the browser kept. Such a page is loaded anew: at once where nobody looks and nothing is typed, else when somebody says so.
import { effect } from "@preact/signals";
import { live } from "../live/session.ts";
import { upgraded } from "../shell/banner.tsx";
import { hasUnsaved } from "../shell/unsaved.tsx";
import { isAnotherDashboard } from "./versions.ts";

async function look(script: string): Promise<void> {
  const answer = await fetch("/", { cache: "no-cache", headers: { accept: "text/html" } });
  if (answer.ok && isAnotherDashboard(await answer.text(), script)) upgraded.value = true;
}

/** Looks whenever the stream begins again: a gateway that was upgraded was away. */
export function watchForUpgrades(): void {
  const script = document.querySelector<HTMLScriptElement>("script[type=module]")?.src;
  if (!script) return;
  const { pathname } = new URL(script);
  let began = "serviceWorker" in navigator && navigator.serviceWorker.controller !== null;
  effect(() => {
    if (!live.value) return;
    // Where it does not answer now, it is looked again.
    if (began) look(pathname).catch(() => {});
    began = true;
  });
  const reload = () => {
    const isFree = document.hidden && !hasUnsaved() && !document.querySelector("dialog[open]");
    if (upgraded.peek() && isFree) location.reload();
  };
  document.addEventListener("visibilitychange", reload);
  effect(() => {
    if (upgraded.value) reload();
  });
}
