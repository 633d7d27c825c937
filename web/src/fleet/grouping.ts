// Hosts under their tags. A host with several tags stands under each of them; what has none comes last. Pure.

/** What hosts are grouped by: nothing, every tag, or the tags that begin with a word (`region:eu`, `region=eu`). */
export type Grouping = { kind: "none" } | { kind: "tag" } | { kind: "key"; key: string };

export interface Group<T> {
  /** The tag, or the value of its key; empty: without. */
  readonly name: string;
  readonly hosts: readonly T[];
}

export function parseGrouping(text: string | null): Grouping {
  if (text === "tag") return { kind: "tag" };
  const key = /^tag:(.+)$/.exec(text ?? "")?.[1];
  return key ? { kind: "key", key } : { kind: "none" };
}

const SEPARATOR = /[:=]/;

/** The words before a colon or an equals sign that any tag has: what else hosts can be grouped by. */
export function tagKeys(tags: Iterable<string>): string[] {
  const keys = new Set<string>();
  for (const tag of tags) {
    const at = tag.search(SEPARATOR);
    if (at > 0 && at < tag.length - 1) keys.add(tag.slice(0, at));
  }
  return [...keys].sort();
}

const names = new Intl.Collator(undefined, { numeric: true });

/** The groups by their names, each with its hosts in the order they have in `hosts`. One without a name: not grouped. */
export function grouped<T extends { tags: readonly string[] }>(
  hosts: readonly T[],
  grouping: Grouping,
): readonly Group<T>[] {
  if (grouping.kind === "none") return hosts.length > 0 ? [{ name: "", hosts }] : [];
  const groups = new Map<string, T[]>();
  for (const host of hosts) {
    const under = grouping.kind === "tag" ? host.tags : valuesOf(host.tags, grouping.key);
    for (const name of under.length > 0 ? new Set(under) : [""]) {
      const found = groups.get(name);
      if (found) found.push(host);
      else groups.set(name, [host]);
    }
  }
  return [...groups]
    .sort(([a], [b]) => (a === "" ? 1 : 0) - (b === "" ? 1 : 0) || names.compare(a, b))
    .map(([name, some]) => ({ name, hosts: some }));
}

const valuesOf = (tags: readonly string[], key: string): string[] =>
  tags
    .filter((tag) => tag.startsWith(key) && SEPARATOR.test(tag.charAt(key.length)))
    .map((tag) => tag.slice(key.length + 1));
