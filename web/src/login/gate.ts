// What a page shows to whom: decided by who is logged in, as far as that is known. Pure.
import type { Me, Role } from "../api/types.gen.ts";

/**
 * `asking`: nothing is shown before it is known. `open`: the dashboard. `login`: the login form alone. `ended`: the form
 * over the page, which keeps its state for when they are back.
 */
export type Gate = "asking" | "open" | "login" | "ended";

/** Who somebody is, kept in the browser so that the next page need not wait to show itself. */
export type Known = Pick<Me, "name" | "role">;

interface Standing {
  /** The gateway's last answer; null before the first. */
  me: Me | null;
  /** Whether the last time that it was asked it did not answer. */
  failed: boolean;
  /** Who was logged in the last time that this browser looked; null for nobody. */
  remembered: Known | null;
  /** For whom this page was open first: null while it was not yet, an empty name where everybody may read. */
  entered: Known | null;
}

export function gateOf({ me, failed, remembered, entered }: Standing): Gate {
  // A gateway that does not answer is a page's own business: it says so, and tries again.
  if (me === null) return failed || remembered !== null ? "open" : "asking";
  if (me.role !== null && !isAnother(me, entered)) return "open";
  return entered !== null ? "ended" : "login";
}

/** Whether somebody else is logged in than this page is for; whoever is only a reader now goes on as one. */
export const isAnother = (me: Known, entered: Known | null): boolean =>
  entered !== null && me.name !== "" && me.name !== entered.name;

/** Under which name the browser keeps who was logged in. */
export const KEPT_NAME = "me";

/** What the browser kept; null for nothing that makes sense. */
export function parseKnown(text: string | null): Known | null {
  try {
    const { name, role } = JSON.parse(text ?? "") as Partial<Known>;
    return typeof name === "string" && role && role in RANKS ? { name, role } : null;
  } catch {
    return null;
  }
}

const RANKS: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };
export const ROLES = Object.keys(RANKS) as Role[];

/** What each role may, in the words of a choice. */
export const ROLE_WORDS: Record<Role, string> = {
  viewer: "reads everything, changes nothing",
  operator: "reads everything, tends hosts, rules and alerts",
  admin: "manages everything, people and settings included",
};

export const may = (role: Role, needs: Role): boolean => RANKS[role] >= RANKS[needs];

/** Why somebody may not do what needs `needs`; null when they may, or while it is not known who they are. */
export function lack(me: Known | null, needs: Role): string | null {
  if (!me?.role || may(me.role, needs)) return null;
  return `Needs the role ${needs}; ${me.name ? `yours is ${me.role}` : "log in first"}.`;
}
