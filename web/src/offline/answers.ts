// How the service worker answers a request of a page: the shell of the dashboard is kept, data never are. Pure.

/**
 * `network`: none of its business. `asset`: a file with its content's hash in its name, which is the same for ever.
 * `page`: what is there when the gateway answers, else the shell that was kept.
 */
export type Answer = "network" | "asset" | "page";

/** Below it is what programs ask: never kept, never touched. */
const DATA = ["/api", "/health", "/metrics"];

const isBelow = (pathname: string, paths: readonly string[]): boolean =>
  paths.some((path) => pathname === path || pathname.startsWith(`${path}/`));

/** Whether what is open at `url` is the dashboard, which goes where it is told to: not the API's page, nor bare data. */
export const isDashboard = (url: string): boolean => !isBelow(new URL(url).pathname, DATA);

/** What a proxy answers in place of a gateway that is away. */
export const isAway = (status: number): boolean => status >= 502 && status <= 504;

interface Asked {
  method: string;
  /** `navigate`: a page is opened. */
  mode: string;
  url: string;
}

export function answerTo({ method, mode, url }: Asked, origin: string): Answer {
  const { origin: of, pathname } = new URL(url);
  if (method !== "GET" || of !== origin) return "network";
  if (isBelow(pathname, DATA)) return "network";
  if (pathname.startsWith("/assets/")) return "asset";
  return mode === "navigate" ? "page" : "network";
}
