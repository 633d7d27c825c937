// How the service worker answers a request of a page: the shell of the dashboard is kept, data never are. Pure.

/**
 * `network`: none of its business. `asset`: a file with its content's hash in its name, which is the same for ever.
 * `page`: what is there when the gateway answers, else the shell that was kept.
 */
export type Answer = "network" | "asset" | "page";

/** Below it is what programs ask: never kept, never touched. */
const DATA = ["/api", "/health", "/metrics"];

interface Asked {
  method: string;
  /** `navigate`: a page is opened. */
  mode: string;
  url: string;
}

export function answerTo({ method, mode, url }: Asked, origin: string): Answer {
  const { origin: of, pathname } = new URL(url);
  if (method !== "GET" || of !== origin) return "network";
  if (DATA.some((path) => pathname === path || pathname.startsWith(`${path}/`))) return "network";
  if (pathname.startsWith("/assets/")) return "asset";
  return mode === "navigate" ? "page" : "network";
}
