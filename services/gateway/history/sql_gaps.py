"""What the gateway asks of the tables about gaps. Identifiers come from the catalogue only, whose names are ours."""

# ruff: noqa: S608 -- see above

from __future__ import annotations

from infra.storage.engines.tables import quoted
from schemas.catalogue import Family


def edges(family: Family) -> str:
    """The last row before the middle of each gap, and the first from there on: number, times.

    $1 host id, $2 instance ids, which a family without passes over, $3 to $5 where to look from, middle, where to.
    """
    instance = "AND instance_id = i.id" if family.instance else ""
    rows = f"SELECT time FROM {quoted(family.name)} WHERE host_id = $1 {instance}"
    of_each = "FROM unnest($2::int[]) AS i (id) CROSS JOIN LATERAL"
    return f"""
        SELECT g.number - 1 AS number,
            (SELECT max(one.time) {of_each} (
                {rows} AND time >= g.first AND time < g.middle ORDER BY time DESC LIMIT 1) AS one) AS before,
            (SELECT min(one.time) {of_each} (
                {rows} AND time >= g.middle AND time < g.last ORDER BY time LIMIT 1) AS one) AS after
        FROM unnest($3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
            WITH ORDINALITY AS g (first, middle, last, number) ORDER BY g.number
    """


# After `sql.OPENING`: without sorting, the few changes of one host would be looked for among those of all.
SORT = "SELECT set_config('enable_sort', 'on', true)"

# How many batches the agent of host $1 says that it lost between its last word before $2 and its first one after $3;
# null where either is missing. A new spool counts from 0.
LOST = """
SELECT (SELECT dropped_total FROM agent WHERE host_id = $1 AND time >= g.last AND time < g.last + interval '1 hour'
            AND dropped_total IS NOT NULL ORDER BY time LIMIT 1)
     - (SELECT dropped_total FROM agent WHERE host_id = $1 AND time <= g.first AND time > g.first - interval '1 hour'
            AND dropped_total IS NOT NULL ORDER BY time DESC LIMIT 1) AS lost
FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS g (first, last, number) ORDER BY g.number
"""
