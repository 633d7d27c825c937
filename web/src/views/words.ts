// What a page is called before somebody gives it a name, and whether two addresses show the same. Pure.
import { pathWords } from "../api/catalogue.ts";

const PAGES: Record<string, string> = {
  "/": "Fleet",
  "/compare": "Compare",
  "/alerts": "Alerts",
  "/system": "System",
  "/settings": "Settings",
};

/** Entries of a query that are about this moment, and nothing to come back to. */
const PASSING = ["wall", "add", "paused", "new", "edit"];

/** `address` without what is about this moment: a path with its query. */
export function lasting(address: string): string {
  const { pathname, searchParams } = new URL(address, "http://page");
  for (const name of PASSING) searchParams.delete(name);
  const query = searchParams.toString();
  return query ? `${pathname}?${query}` : pathname;
}

/** Whether both lead to the same page with the same query, in whatever order it is written. */
export function isSame(one: string, other: string): boolean {
  const written = (address: string) => {
    const { pathname, searchParams } = new URL(lasting(address), "http://page");
    searchParams.sort();
    return `${pathname}?${searchParams}`;
  };
  return written(one) === written(other);
}

/** `Fleet: tag:prod`, `web-1, 24h`, `Compare web-1, web-2: CPU total`. */
export function proposedName(address: string): string {
  const { pathname, searchParams } = new URL(lasting(address), "http://page");
  const host = /^\/hosts\/([^/]+)/.exec(pathname)?.[1];
  const page = host ? decodeURIComponent(host) : (PAGES[pathname] ?? pathname.slice(1));
  const listed = (name: string) => (searchParams.get(name) ?? "").split(",").filter(Boolean);
  const about = [
    searchParams.get("q") ?? "",
    searchParams.get("show") ?? "",
    listed("hosts").join(", "),
    listed("metrics").map(pathWords).join(", "),
    searchParams.get("range") ?? "",
  ].filter(Boolean);
  return (about.length > 0 ? `${page}: ${about.join(", ")}` : page).slice(0, 80).trim();
}
