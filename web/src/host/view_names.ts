// Which views a host has. Pure.
import { familyOf } from "../api/catalogue.ts";

/** Views that are not of a family. The agent's has its family's charts, too. */
export const OWN_VIEWS = ["alerts", "settings", "agent"] as const;

/** The view that an address asks for; empty, which is the overview, where there is none of that name. */
export const viewOf = (asked: string | null): string =>
  asked !== null && (OWN_VIEWS.some((name) => name === asked) || familyOf(asked)) ? asked : "";
