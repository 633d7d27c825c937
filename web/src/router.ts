// The URL is the state: a path signal and a query signal over the history API, and links that move them.
import { batch, signal } from "@preact/signals";

export const path = signal(location.pathname);
export const query = signal(new URLSearchParams(location.search));

function read(): void {
  batch(() => {
    path.value = location.pathname;
    if (query.peek().toString() !== new URLSearchParams(location.search).toString())
      query.value = new URLSearchParams(location.search);
  });
}

/** Goes to `href` of this site. A replaced entry is for what nobody wants to step back through, such as typing. */
export function navigate(href: string, replace = false): void {
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  const moved = path.peek() !== location.pathname;
  read();
  if (moved) scrollTo(0, 0);
}

/** Changes entries of the query and keeps the others; null removes one. */
export function setQuery(entries: Record<string, string | null>, replace = false): void {
  const next = new URLSearchParams(query.peek());
  for (const [name, value] of Object.entries(entries)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  navigate(text ? `${location.pathname}?${text}` : location.pathname, replace);
}

/** Makes ordinary links to pages of this site move the router instead of loading. */
export function startRouter(): void {
  addEventListener("popstate", read);
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
    if (!link || link.origin !== location.origin || link.target || link.pathname.startsWith("/api/")) return;
    event.preventDefault();
    navigate(link.href);
  });
}
