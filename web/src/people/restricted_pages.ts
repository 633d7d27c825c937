// Pages that not everybody has, with their names and the role that each needs.
import type { Role } from "../api/types.gen.ts";
import { PAGE_NAMES } from "../places.ts";

export const RESTRICTED: readonly [href: string, name: string, needs: Role][] = [
  ["/people", PAGE_NAMES["/people"], "admin"],
  ["/audit", PAGE_NAMES["/audit"], "admin"],
  ["/viewers", PAGE_NAMES["/viewers"], "operator"],
];
