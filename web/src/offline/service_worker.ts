// The service worker: keeps the shell of the dashboard, so that it opens while the gateway is away and says so, and leads
// from a notification to its page. Data are never kept: a number that is shown has just come.
import { answerTo, isAway, isDashboard } from "./answers.ts";

interface Later extends Event {
  waitUntil: (done: Promise<unknown>) => void;
}
interface Fetched extends Later {
  request: Request;
  respondWith: (answer: Promise<Response>) => void;
}
interface Clicked extends Later {
  notification: Notification;
}
interface Tab {
  url: string;
  focused: boolean;
  focus: () => Promise<unknown>;
  postMessage: (message: unknown) => void;
}
interface Worker {
  location: Location;
  clients: {
    matchAll: (which: { type: "window"; includeUncontrolled: boolean }) => Promise<Tab[]>;
    openWindow: (href: string) => Promise<unknown>;
  };
}

/** The build puts in the name of this version, and the files that the dashboard loads. */
declare const SHELL: { version: string; files: string[] };

const worker = globalThis as unknown as Worker;
const NAME = `shell-${SHELL.version}`;
const PAGE = "/";

const keep = async (): Promise<void> => (await caches.open(NAME)).addAll([PAGE, ...SHELL.files]);

/** What other versions kept is of no use to anybody any more. */
async function forgetOthers(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith("shell-") && name !== NAME);
  await Promise.all(others.map((name) => caches.delete(name)));
}

async function asset(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

/** A gateway that has not answered by then is away, as far as somebody who waits for a page is concerned. */
const PATIENCE_MS = 5000;

async function page(request: Request): Promise<Response> {
  const answer = fetch(request);
  const kept = await caches.match(PAGE);
  if (!kept) return answer;
  const instead = new Promise<Response>((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS));
  return Promise.race([answer.then((told) => (isAway(told.status) ? kept : told)).catch(() => kept), instead]);
}

/** Brings a tab of the dashboard to the front that goes to `href`, or opens one. */
async function open(href: string): Promise<void> {
  const tabs = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const pages = tabs.filter(({ url }) => isDashboard(url));
  const tab = pages.find((one) => one.focused) ?? pages[0];
  if (!tab) {
    await worker.clients.openWindow(href);
    return;
  }
  tab.postMessage({ open: href });
  await tab.focus();
}

addEventListener("install", (event) => (event as Later).waitUntil(keep()));
addEventListener("activate", (event) => (event as Later).waitUntil(forgetOthers()));
addEventListener("fetch", (event) => {
  const { request, respondWith } = event as Fetched;
  const answer = answerTo(request, worker.location.origin);
  if (answer === "asset") respondWith.call(event, asset(request));
  else if (answer === "page") respondWith.call(event, page(request));
});
addEventListener("notificationclick", (event) => {
  const { notification } = event as Clicked;
  notification.close();
  const { href } = notification.data as { href: string };
  (event as Clicked).waitUntil(open(href));
});
