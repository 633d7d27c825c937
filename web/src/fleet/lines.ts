// The fleet as lines that scroll: the head of a group, or a row of hosts. Only lines on the screen are in the page. Pure.

export interface Block {
  /** Index of its first line, which is its head where groups have one. */
  readonly first: number;
  /** Rows of hosts. */
  readonly rows: number;
  readonly hosts: number;
}

export interface Lines {
  readonly count: number;
  readonly columns: number;
  /** Whether each group has a head. */
  readonly heads: boolean;
  /** One a group. */
  readonly blocks: readonly Block[];
}

/** `sizes`: number of hosts in each group. */
export function linesOf(sizes: readonly number[], columns: number, heads: boolean): Lines {
  let count = 0;
  const blocks = sizes.map((hosts) => {
    const rows = Math.ceil(hosts / columns);
    const first = count;
    count += rows + (heads ? 1 : 0);
    return { first, rows, hosts };
  });
  return { count, columns, heads, blocks };
}

export interface Place {
  group: number;
  /** Row within the group; null: its head. */
  row: number | null;
}

export function placeOf({ blocks, heads }: Lines, line: number): Place {
  let [low, high] = [0, blocks.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((blocks[middle] as Block).first <= line) low = middle;
    else high = middle - 1;
  }
  const within = line - (blocks[low]?.first ?? 0);
  if (!heads) return { group: low, row: within };
  return { group: low, row: within === 0 ? null : within - 1 };
}

/** The line that host `at` of group `group` is in. */
export const lineOf = ({ blocks, heads, columns }: Lines, group: number, at: number): number =>
  (blocks[group]?.first ?? 0) + (heads ? 1 : 0) + Math.floor(at / columns);

export interface Part {
  group: number;
  /** Rows that are on the screen, ascending. */
  rows: readonly number[];
}

/** What of each group the given lines, ascending, show. A group of which only the head is seen has no rows. */
export function partsOf(lines: Lines, shown: readonly number[]): readonly Part[] {
  const parts: { group: number; rows: number[] }[] = [];
  for (const line of shown) {
    const { group, row } = placeOf(lines, line);
    let part = parts.at(-1);
    if (part?.group !== group) {
      part = { group, rows: [] };
      parts.push(part);
    }
    if (row !== null) part.rows.push(row);
  }
  return parts;
}

/** Indices, within their group, of the hosts in `rows`. */
export function hostsIn({ columns, blocks }: Lines, { group, rows }: Part): number[] {
  const hosts = blocks[group]?.hosts ?? 0;
  return rows.flatMap((row) =>
    Array.from({ length: Math.min(columns, hosts - row * columns) }, (_, at) => row * columns + at),
  );
}
