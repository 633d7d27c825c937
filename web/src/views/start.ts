// The page that somebody wants to begin with. The browser keeps it, so that it need not wait for an answer.
import { effect, signal } from "@preact/signals";
import { navigate, path, query } from "../router.ts";
import { lasting } from "../storage.ts";

const KEPT = "start";

/** Its path with its query. */
export const startPage = signal(lasting.read(KEPT) ?? "/");

/** Whether somebody has just come to the dashboard, and not to a page of it. */
function isFresh(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.type === "navigate" && path.peek() === "/" && query.peek().size === 0;
}

/** Opens it where somebody has just come. */
export function openStartPage(): void {
  if (isFresh() && startPage.peek() !== "/") navigate(startPage.peek(), { replace: true });
}

/** Opens it, and keeps it whenever it changes. */
export function startWithPage(): void {
  openStartPage();
  effect(() => lasting.write(KEPT, startPage.value));
}
