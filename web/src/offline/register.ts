// The service worker's registration, where browsers have one: not over plain HTTP, except on this very machine.
import { effect } from "@preact/signals";
import { live } from "../live/session.ts";
import { navigate } from "../router.ts";
import { watchForUpgrades } from "./upgrade.ts";

/** First the page, and only when it is there what keeps it. */
const AFTER_MS = 5000;

/** Of the worker that runs; null where there is none. */
export async function registration(): Promise<ServiceWorkerRegistration | null> {
  return (await navigator.serviceWorker?.getRegistration()) ?? null;
}

/** Takes away those notifications of this browser whose tag `isOver`. */
export async function closeNotifications(isOver: (tag: string) => boolean): Promise<void> {
  for (const one of (await (await registration())?.getNotifications?.()) ?? []) if (isOver(one.tag)) one.close();
}

export function startOffline(): void {
  if (import.meta.env.PROD) watchForUpgrades();
  if (!("serviceWorker" in navigator) || !import.meta.env.PROD) return;
  navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<{ open?: string }>) => {
    if (typeof data?.open === "string" && data.open.startsWith("/")) navigate(data.open);
  });
  setTimeout(() => {
    // A browser complains when it is asked for while the gateway is away.
    const stop = effect(() => {
      if (!live.value) return;
      // What cannot be kept is fetched each time.
      navigator.serviceWorker.register("/service-worker.js").catch(() => {});
      queueMicrotask(() => stop());
    });
  }, AFTER_MS);
}
