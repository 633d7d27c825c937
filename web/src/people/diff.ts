// What a change changed: the leaves of what was and what is that differ. Pure.

export interface Difference {
  /** `thresholds.cpu`, `tags[1]`; empty for a value that has no parts. */
  path: string;
  /** As JSON; undefined where there was or is nothing. */
  before: string | undefined;
  after: string | undefined;
}

/** Every leaf that came, went or is another one, in the order of what was, then of what is new. */
export function differences(before: unknown, after: unknown): Difference[] {
  const was = leaves(before);
  const is = leaves(after);
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((path) => ({ path, before: was.get(path), after: is.get(path) }))
    .filter((one) => one.before !== one.after);
}

/** Null is nothing at all: there was none before it was made, and there is none after it was removed. */
function leaves(value: unknown): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string, part: unknown) => {
    if (Array.isArray(part) && part.length > 0) for (const [at, one] of part.entries()) visit(`${path}[${at}]`, one);
    else if (isRecord(part))
      for (const [name, one] of Object.entries(part)) visit(path ? `${path}.${name}` : name, one);
    else found.set(path, JSON.stringify(part));
  };
  if (value !== null && value !== undefined) visit("", value);
  return found;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
