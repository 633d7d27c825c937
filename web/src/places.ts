// Which paths lead to which pages, and what these are called. Pure.

/** The fleet, from wherever: `/` alone leads whoever has just come to the page that they begin with. */
export const FLEET = "/?fleet";

/** The address that `href` means: the mark that says "the fleet itself" is not part of it. */
export const settled = (href: string): string => (href === FLEET ? "/" : href);

export const PAGE_NAMES = {
  "/": "Fleet",
  "/compare": "Compare",
  "/alerts": "Alerts",
  "/system": "System",
  "/settings": "Settings",
  "/account": "Account",
  "/people": "People",
  "/audit": "Audit log",
  "/viewers": "Viewers",
} as const;

/** What the page at `path` is called; undefined where there is none that is always the same. */
export const pageName = (path: string): string | undefined => (PAGE_NAMES as Record<string, string>)[path];

/** The id of the host whose page `path` is. */
export const hostIn = (path: string): string | undefined => /^\/hosts\/([a-z0-9-]{1,40})\/?$/.exec(path)?.[1];
