// Pages that not everybody has, with their names and the role that each needs.
import type { Role } from "../api/types.gen.ts";

export const RESTRICTED: readonly [href: string, name: string, needs: Role][] = [
  ["/people", "People", "admin"],
  ["/audit", "Audit log", "admin"],
  ["/viewers", "Viewers", "operator"],
];
