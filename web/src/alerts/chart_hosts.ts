// Which hosts the chart of a rule can show, and what of the rule is different for the one in view. Pure.
import type { Rule } from "../api/types.gen.ts";
import type { Level } from "./lines.ts";
import { exceptionOf, ofHost } from "./thresholds.ts";

export interface Candidate {
  id: string;
  tags: readonly string[];
}

export interface Choice {
  hosts: readonly string[];
  /** How many more the rule is about. */
  more: number;
}

const MOST = 100;

/**
 * The hosts that `rule` looks at, exceptions included: first those in `fired`, on which it would have fired. The one in view
 * stays among them while the rule looks at it.
 */
export function hostsToShow(rule: Rule, all: readonly Candidate[], fired: readonly string[], inView: string): Choice {
  const on = { ...rule, enabled: true };
  const about = new Set(all.filter(({ id, tags }) => ofHost([on], id, tags)[0]?.enabled).map(({ id }) => id));
  const first = [...new Set(fired)].filter((id) => about.has(id));
  const hosts = [...new Set([...first, ...about])].slice(0, MOST);
  if (about.has(inView) && !hosts.includes(inView)) hosts.splice(-1, 1, inView);
  return { hosts, more: about.size - hosts.length };
}

/** An exception that has thresholds of its own for a host. */
export interface InForce {
  /** From 1, as it is called in the form. */
  number: number;
  lines: Partial<Record<Level, number>>;
}

export function exceptionFor(rule: Rule, host: string, tags: readonly string[]): InForce | null {
  const at = exceptionOf(rule, host, tags);
  const { warning, critical } = rule.overrides[at] ?? { warning: null, critical: null };
  const lines: InForce["lines"] = {};
  if (warning && !Number.isNaN(warning.raise_at)) lines.warning = warning.raise_at;
  if (critical && !Number.isNaN(critical.raise_at)) lines.critical = critical.raise_at;
  return Object.keys(lines).length > 0 ? { number: at + 1, lines } : null;
}
