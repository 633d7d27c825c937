// The page that somebody wants to begin with. The browser keeps it, so that it need not wait for an answer.
import { effect } from "@preact/signals";
import { KEPT_NAME, parseKnown } from "../login/gate.ts";
import { startPage } from "../preferences.ts";
import { navigate, path, query } from "../router.ts";
import { lasting } from "../storage.ts";

/** Whether somebody has just come to the dashboard, and not to a page of it, and has gone nowhere since. */
let fresh = isFresh();

function isFresh(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.type === "navigate" && path.peek() === "/" && query.peek().size === 0;
}

/** From now on nobody is led anywhere. */
export function arrived(): void {
  fresh = false;
}

/** Opens it where somebody has just come. */
export function openStartPage(): void {
  if (fresh && startPage.peek() !== "/") navigate(startPage.peek(), { replace: true });
}

/** Opens it for whoever was here before; others it finds once it is known who they are. */
export function startWithPage(): void {
  if (parseKnown(lasting.read(KEPT_NAME)) !== null) openStartPage();
  let begun = false;
  effect(() => {
    path.value;
    query.value;
    if (begun) arrived();
    begun = true;
  });
}
