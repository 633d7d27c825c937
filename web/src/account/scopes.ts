// The parts of the API to which a token may be restricted, in words. Pure.
import type { Scope } from "../api/types.gen.ts";

export const SCOPE_WORDS: Record<Scope, string> = {
  hosts: "hosts, one or many, and their latest values",
  history: "values of the past, exports",
  live: "the live stream, with all it tells",
  alerting: "alerts and rules",
  metrics: "the pages for Prometheus",
  health: "the health of Sonde itself",
  settings: "settings, the whole configuration as a file",
  agents: "agents' settings, commands",
  identities: "enrolment and identities of machines",
  people: "users, sessions, tokens, audit log",
  catalogue: "the list of metrics",
};
export const SCOPES = Object.keys(SCOPE_WORDS) as Scope[];

/** `scopes` with or without `scope`, in the order in which they are shown. */
export const switched = (scopes: readonly Scope[], scope: Scope, on: boolean): Scope[] =>
  SCOPES.filter((one) => (one === scope ? on : scopes.includes(one)));

/** What a token may use, as a table says it. */
export const scopesShown = (scopes: readonly string[]): string => (scopes.length ? scopes.join(", ") : "everything");

/** A path that a token of these scopes may ask, to show that it works. */
export function examplePath(scopes: readonly string[]): string {
  if (scopes.length === 0 || scopes.includes("hosts")) return "/api/v1/hosts";
  return scopes.includes("metrics") ? "/metrics" : "/api/v1/session";
}
