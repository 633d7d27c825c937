// What a page is called before somebody gives it a name, and whether two addresses show the same. Pure.
import { pathWords } from "../api/catalogue.ts";
import { hostIn, pageName } from "../places.ts";

/** Entries of a query that are about this moment, and nothing to come back to. */
const PASSING = ["wall", "add", "paused", "new", "edit", "fleet"];

/** A path with its query in parts, whatever it is: `//` is a path as well, and leads nowhere. */
const parsed = (address: string): URL => new URL(`http://page${address}`);

/** `address` without what is about this moment: a path with its query. */
export function lasting(address: string): string {
  const { pathname, searchParams } = parsed(address);
  for (const name of PASSING) searchParams.delete(name);
  const query = searchParams.toString();
  return query ? `${pathname}?${query}` : pathname;
}

/** Whether both lead to the same page with the same query, in whatever order it is written. */
export function isSame(one: string, other: string): boolean {
  const written = (address: string) => {
    const { pathname, searchParams } = parsed(lasting(address));
    searchParams.sort();
    return `${pathname}?${searchParams}`;
  };
  return written(one) === written(other);
}

/** `Fleet: tag:prod`, `web-1, 24h`, `Compare web-1, web-2: CPU total`. */
export function proposedName(address: string): string {
  const { pathname, searchParams } = parsed(lasting(address));
  const page = hostIn(pathname) ?? pageName(pathname) ?? pathname.slice(1);
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

/** The address of the page in view, without what is about this moment. */
export const addressHere = ({ pathname, search }: Location): string => lasting(`${pathname}${search}`);
