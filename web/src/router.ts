// The URL is the state: a path signal and a query signal over the history API, and links that move them.
import { batch, signal } from "@preact/signals";
import { FLEET, settled } from "./places.ts";
import { passing } from "./storage.ts";

export const path = signal(location.pathname);
export const query = signal(new URLSearchParams(location.search));
/** What the entry of the history in view remembers besides its address; survives a reload. */
export const memory = signal<unknown>(history.state);

/** Asked before the page is left: false keeps it. `go` leaves after all. */
type Guard = (go: () => void) => boolean;
let guard: Guard = () => true;

/** Whoever has something to lose decides whether the page may be left. */
export function guardLeaving(asked: Guard): void {
  guard = asked;
}

function read(): void {
  batch(() => {
    memory.value = history.state;
    path.value = location.pathname;
    if (asksElse()) query.value = new URLSearchParams(location.search);
    if (location.pathname === "/") passing.write("fleet", lookedAt(location.search));
  });
}

/** Whether the address has another query than the one that is known. */
const asksElse = (): boolean => query.peek().toString() !== new URLSearchParams(location.search).toString();

/** What of the fleet's query says how it is looked at: a dialog over it (`add`) and a wall are nothing to come back to. */
function lookedAt(search: string): string {
  const entries = new URLSearchParams(search);
  if (!entries.has("add") && !entries.has("wall")) return search;
  entries.delete("add");
  entries.delete("wall");
  return entries.size > 0 ? `?${entries}` : "";
}

/** The fleet as it was last looked at in this tab: its search, filter and order. */
export const fleetHref = (): string => `/${passing.read("fleet") || "?fleet"}`;

export interface Step {
  /** For what nobody wants to step back through, such as typing. */
  replace?: boolean;
  /** For what changes with every key: the page follows at once, the address a moment later. Takes the place of `replace`. */
  soon?: boolean;
  /** What the entry remembers; see `memory`. */
  memory?: unknown;
}

/** Goes to `href` of this site. */
export function navigate(to: string, { replace = false, memory: kept = null }: Step = {}): void {
  const href = settled(to);
  const moves = new URL(href, location.href).pathname !== location.pathname;
  if (moves && !guard(() => enter(href, replace, kept))) return;
  enter(href, replace, kept);
}

/** Browsers ignore or refuse addresses that are written too often: a hundred in 10 s, or in 30 s. */
const WRITE_AFTER_MS = 400;
let writing: ReturnType<typeof setTimeout> | undefined;

/** Writes the address that the page is ahead of. */
function write(): void {
  if (writing === undefined) return;
  clearTimeout(writing);
  writing = undefined;
  history.replaceState(memory.peek(), "", withQuery(query.peek()));
  read();
}

const withQuery = (entries: URLSearchParams): string => location.pathname + (entries.size > 0 ? `?${entries}` : "");

function enter(href: string, replace: boolean, kept: unknown): void {
  write();
  if (replace) history.replaceState(kept, "", href);
  else history.pushState(kept, "", href);
  const moved = path.peek() !== location.pathname;
  read();
  if (moved) scrollTo(0, 0);
}

/** Changes entries of the query and keeps the others; null removes one. */
export function setQuery(entries: Record<string, string | null>, step: Step = {}): void {
  const next = new URLSearchParams(query.peek());
  for (const [name, value] of Object.entries(entries)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, value);
  }
  if (step.soon) {
    query.value = next;
    writing ??= setTimeout(write, WRITE_AFTER_MS);
  } else navigate(withQuery(next), { memory: memory.peek(), ...step });
}

/** Makes ordinary links to pages of this site move the router instead of loading. */
export function startRouter(): void {
  if (location.pathname + location.search === FLEET) history.replaceState(history.state, "", settled(FLEET));
  read();
  addEventListener("focusout", write);
  addEventListener("pagehide", write);
  addEventListener("popstate", () => {
    clearTimeout(writing);
    writing = undefined;
    // Dialogs hang on entries of the query: with one of those a form goes, too.
    const moves = path.peek() !== location.pathname || asksElse();
    // Whoever leaves after all goes from the entry made below to the one that they wanted.
    if (!moves || guard(() => history.back())) {
      read();
      return;
    }
    // The browser has gone already: what is on the page gets its address back.
    history.pushState(memory.peek(), "", `${path.peek()}${query.peek().size > 0 ? `?${query.peek()}` : ""}`);
  });
  document.addEventListener("click", (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = (event.target as Element).closest("a");
    if (!link || link.origin !== location.origin || link.target || link.download) return;
    if (link.pathname === "/api" || link.pathname.startsWith("/api/")) return;
    // A link into this very page, such as "Skip to content", is the browser's own business: it moves the focus.
    if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
    event.preventDefault();
    navigate(link.pathname + link.search + link.hash);
  });
}
