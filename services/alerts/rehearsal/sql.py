"""What a rehearsal reads: all of it is there already, and nothing is written.

Identifiers come from the catalogue only; columns come back packed.
"""

# ruff: noqa: S608 -- see above

from __future__ import annotations

from infra.storage.engines.tables import SUFFIX, quoted
from infra.storage.packed import packed, packed_counts
from schemas.catalogue import Family, Metric
from schemas.slots import SLOT_INTERVAL

# Whatever this process does wrong, it changes nothing, and no statement of it keeps the database busy for long. A plan
# that is made once for stretches of any number and length reads whole partitions: a second instead of ten milliseconds.
OPENING = """
SELECT set_config('default_transaction_read_only', 'on', false), set_config('statement_timeout', '20s', false),
       set_config('jit', 'off', false), set_config('plan_cache_mode', 'force_custom_plan', false),
       set_config('idle_in_transaction_session_timeout', '60s', false)
"""

HOSTS = "SELECT id, name, tags FROM hosts WHERE state = 'active' ORDER BY name"

HORIZONS = "SELECT name, before FROM horizons WHERE name IN ('raw', 'minute')"

INSTANCES = "SELECT id, name FROM instances WHERE host_id = $1 AND family = $2 ORDER BY name"

# Where roll-ups do not have all raw rows yet.
DIRTY = f"""
SELECT slot FROM dirty_minutes WHERE host_id = $1 AND slot > $2::timestamptz - {SLOT_INTERVAL} AND slot < $3
ORDER BY slot
"""


def minutes(family: Family, metrics: list[Metric], with_sums: bool) -> str:
    """$1 host, $2 instances, $3 and $4 the range. Per instance: its id, times; per metric known, least, greatest, sum.

    The id is 0 in a family without instances, which passes over $2. In no particular order of time.
    """
    columns = [packed("time")]
    for metric in metrics:
        n, total, least, greatest = (quoted(f"{metric.name}_{part}") for part in ("n", "sum", "min", "max"))
        columns += [packed(f"coalesce({n}::int8, 0)"), packed_counts(least), packed_counts(greatest)]
        columns.append(packed(f"coalesce({total}::float8, 0)") if with_sums else "NULL::bytea")
    table = quoted(family.name + SUFFIX["minute"])
    within = "host_id = $1 AND time >= $3 AND time < $4"
    if family.instance:
        return f"""
            SELECT instance_id, {", ".join(columns)} FROM {table}
            WHERE {within} AND instance_id = ANY($2::int[]) GROUP BY instance_id
        """
    return f"SELECT 0, {', '.join(columns)} FROM {table} WHERE {within} AND $2::int[] IS NOT NULL HAVING count(*) > 0"


def samples(family: Family, metrics: list[Metric]) -> str:
    """$1 host, $2 instance, $3 and $4 begins and ends of stretches in order: times, then counts of each metric.

    $5 and $6 are the first begin and the last end, by which partitions are left out. All is null without any row.
    """
    names = [quoted(metric.name) for metric in metrics]
    instance = "instance_id = $2" if family.instance else "$2::int IS NOT NULL"
    return f"""
        SELECT {packed("time")}, {", ".join(map(packed_counts, names))} FROM (
            SELECT r.* FROM unnest($3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS p (first, last, number)
            CROSS JOIN LATERAL (
                SELECT time, {", ".join(names)} FROM {quoted(family.name)}
                WHERE host_id = $1 AND {instance} AND time >= p.first AND time < p.last AND time >= $5 AND time < $6
                OFFSET 0  -- a stretch at a time by the index, instead of every row against every stretch
            ) AS r ORDER BY time) AS s
    """


def moments(family: Family, rolled: bool) -> str:
    """$1 host, $2 and $3 the range, $4 how many: the first times at which the host sampled `family`."""
    table = quoted(family.name + (SUFFIX["minute"] if rolled else ""))
    distinct = "DISTINCT" if family.instance else ""
    return f"""
        SELECT {packed("time")} FROM (
            SELECT {distinct} time FROM {table}
            WHERE host_id = $1 AND time >= $2 AND time < $3 ORDER BY time LIMIT $4) AS r
    """


def any_moment(family: Family) -> str:
    """$1 host, $2 and $3 the range: whether the host sampled `family` in it, as far as minutes know."""
    table = quoted(family.name + SUFFIX["minute"])
    return f"SELECT EXISTS (SELECT FROM {table} WHERE host_id = $1 AND time >= $2 AND time < $3)"
