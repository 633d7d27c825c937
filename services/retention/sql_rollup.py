"""How roll-ups are computed: the same text on both engines. Pure.

Identifiers come from the catalogue only. All statements about a family share their first parameters: $1 host ids and
$2 begins of slots or hours, pairwise; $3 and $4 the begin and end of all of them, by which partitions are left out.
"""

# ruff: noqa: S608 -- see above

from __future__ import annotations

from infra.storage.engines.tables import Kind, Table, quoted
from infra.storage.packed import packed_counts
from schemas.catalogue import Family, Metric
from schemas.slots import SLOT_INTERVAL

PLENTY = "SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0"
"""Late rows may concern parts that are columnar by now. Means nothing to PostgreSQL without the extension."""

DUE_SLOTS = "SELECT host_id, slot, version FROM dirty_minutes WHERE slot <= $1 ORDER BY slot, host_id LIMIT $2"

DUE_HOURS = """
SELECT host_id, hour, version FROM dirty_hours d
WHERE hour <= $1 AND NOT EXISTS (
    SELECT FROM dirty_minutes m
    WHERE m.host_id = d.host_id AND m.slot >= d.hour AND m.slot < d.hour + interval '1 hour')
ORDER BY hour, host_id LIMIT $2
"""

DIRTY_HOURS = """
INSERT INTO dirty_hours (host_id, hour)
SELECT DISTINCT host, date_trunc('hour', slot, 'UTC') FROM unnest($1::int[], $2::timestamptz[]) AS s (host, slot)
ORDER BY 1, 2
ON CONFLICT (host_id, hour) DO UPDATE SET version = dirty_hours.version + 1
"""

_HOUR = "interval '1 hour'"
_LENGTH: dict[Kind, str] = {"minute": SLOT_INTERVAL, "hour": _HOUR}
"""How much of a roll-up is made anew at once."""


def clean(table: str, column: str) -> str:
    """Take away the marks $1, $2 whose version is still $3; in the order in which ingest makes them."""
    return f"""
        WITH locked AS (
            SELECT d.host_id, d.{column} FROM {table} d
            JOIN unnest($1::int[], $2::timestamptz[], $3::int[]) AS seen (host, at, version)
                ON d.host_id = seen.host AND d.{column} = seen.at AND d.version = seen.version
            ORDER BY d.host_id, d.{column} FOR UPDATE OF d)
        DELETE FROM {table} d USING locked WHERE d.host_id = locked.host_id AND d.{column} = locked.{column}
    """


CLEAN_SLOTS = clean("dirty_minutes", "slot")
CLEAN_HOURS = clean("dirty_hours", "hour")


def forget(table: Table) -> str:
    """Delete what a roll-up has of the slots or hours."""
    family, kind = table.family, table.kind
    instance = "AND t.instance_id = k.instance" if family.instance else ""
    return f"""
        DELETE FROM {quoted(table.name)} t USING ({_keys(family)}) AS k
        WHERE t.host_id = k.host {instance} AND t.time >= k.at AND t.time < k.at + {_LENGTH[kind]}
          AND t.time >= $3 AND t.time < $4 AND t.host_id = ANY($1)
    """


def fill_minutes(family: Family) -> str:
    """Insert the minutes of the slots from raw rows."""
    table = Table(family, "minute")
    functions = ("count", "sum", "min", "max")
    sums = ", ".join(f"{function}({quoted(metric.name)})" for metric in family.metrics for function in functions)
    return f"""
        INSERT INTO {quoted(table.name)} ({_names(table)})
        SELECT rolled.* FROM ({_keys(family)}) AS k CROSS JOIN LATERAL (
            SELECT date_bin('1 min', time, '1970-01-01Z'), k.host{", k.instance" if family.instance else ""}, {sums}
            {_of_key(Table(family, "raw"), SLOT_INTERVAL)} GROUP BY 1) AS rolled
    """


def raw_hours(family: Family) -> str:
    """Every count of the hours: host, instance (0 in a family without), hour, then a packed column per metric."""
    columns = [f"{packed_counts(quoted(metric.name))} AS c{k}" for k, metric in enumerate(family.metrics)]
    return f"""
        SELECT k.host, k.instance, k.at, found.* FROM ({_keys(family)}) AS k CROSS JOIN LATERAL (
            SELECT {", ".join(columns)} {_of_key(Table(family, "raw"), _HOUR)}) AS found
        WHERE found.c0 IS NOT NULL
    """


def fill_hours(family: Family) -> str:
    """Insert the hours from their minutes; $5 hosts, $6 instances and $7 hours have a list of sketches per metric."""
    table = Table(family, "hour")
    sums, outer = [], []
    for k, metric in enumerate(family.metrics):
        n, total, least, greatest = (quoted(f"{metric.name}_{part}") for part in ("n", "sum", "min", "max"))
        kind = "numeric" if metric.column == "int8" else "int8"
        sums += [f"sum({n})::int4 AS n{k}", f"sum({total})::{kind} AS s{k}", f"min({least}) AS a{k}"]
        sums += [f"max({greatest}) AS b{k}"]
        outer += [f"rolled.{letter}{k}" for letter in "nsab"] + [f"sketched.q{k}"]
    lists = ", ".join(f"${number}::bytea[]" for number in range(8, 8 + len(family.metrics)))
    names = ", ".join(f"q{k}" for k in range(len(family.metrics)))
    return f"""
        INSERT INTO {quoted(table.name)} ({_names(table)})
        SELECT k.at, k.host{", k.instance" if family.instance else ""}, {", ".join(outer)}
        FROM ({_keys(family)}) AS k
        CROSS JOIN LATERAL (
            SELECT count(*) AS minutes, {", ".join(sums)} {_of_key(Table(family, "minute"), _HOUR)}) AS rolled
        LEFT JOIN unnest($5::int[], $6::int[], $7::timestamptz[], {lists}) AS sketched (host, instance, at, {names})
            ON sketched.host = k.host AND sketched.instance = k.instance AND sketched.at = k.at
        WHERE rolled.minutes > 0
    """


def parts_of(metric: Metric, kind: Kind) -> list[str]:
    """A metric's columns in a roll-up."""
    return [f"{metric.name}_{part}" for part in ("n", "sum", "min", "max", *(["sketch"] if kind == "hour" else []))]


def _names(table: Table) -> str:
    keys = ["time", "host_id", *(["instance_id"] if table.family.instance else [])]
    return ", ".join(
        map(quoted, [*keys, *(part for metric in table.family.metrics for part in parts_of(metric, table.kind))])
    )


def _keys(family: Family) -> str:
    """Host, instance and begin of everything to look at."""
    pairs = "unnest($1::int[], $2::timestamptz[]) AS s (host, at)"
    if not family.instance:
        return f"SELECT host, 0 AS instance, at FROM {pairs}"
    return f"""
        SELECT s.host, i.id AS instance, s.at FROM {pairs}
        JOIN instances i ON i.host_id = s.host AND i.family = '{family.name}'
    """


def _of_key(table: Table, length: str) -> str:
    """FROM and WHERE for the rows of key `k`."""
    instance = "AND instance_id = k.instance" if table.family.instance else ""
    return f"""
        FROM {quoted(table.name)} WHERE host_id = k.host {instance}
          AND time >= k.at AND time < k.at + {length} AND time >= $3 AND time < $4
    """
