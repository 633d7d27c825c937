"""What the gateway asks of a family's tables: raw, `_1m` and `_1h`. Pure.

Identifiers come from the catalogue only, whose names are ours; everything that a request says is a parameter. The
queries over pieces share their first parameters, of which the first four have one entry per piece of one host's
instance: $1 host ids, $2 instance ids (0 in a family without), $3 and $4 begin and end; $5 and $6 are the begin and end
of all pieces, by which the planner leaves out partitions before it starts. They answer one row per piece that has rows,
with the number of the piece and packed columns.
"""

# ruff: noqa: S608 -- see above

from __future__ import annotations

from collections.abc import Iterable, Sequence

from infra.storage.engines.tables import SUFFIX, quoted
from infra.storage.packed import packed, packed_counts
from schemas.api import Resolution
from schemas.catalogue import Family, Metric
from schemas.slots import SLOT_INTERVAL

INSTANCES = """
SELECT host_id, family, id, name FROM instances
WHERE host_id = ANY($1) AND family = ANY($2) AND ($3::text IS NULL OR name = $3) ORDER BY name
"""

# First in a transaction: up to where rows are dropped, and settings for the rest of it. The planner takes rows between
# times that it does not know for few, and would rather sort ten thousand of them than hash their steps: a quarter of
# the time of a week of all CPU metrics. Compiling takes longer than any of them.
OPENING = """
SELECT ARRAY(SELECT name FROM horizons ORDER BY name) AS names,
       ARRAY(SELECT before FROM horizons ORDER BY name) AS befores,
       set_config('enable_sort', 'off', true), set_config('jit', 'off', true)
"""

DIRTY = f"""
SELECT host_id, true AS is_hour, hour AS begin FROM dirty_hours
WHERE host_id = ANY($1) AND hour > $2::timestamptz - interval '1 hour' AND hour < $3
UNION ALL
SELECT host_id, false, slot FROM dirty_minutes
WHERE host_id = ANY($1) AND slot > $2::timestamptz - {SLOT_INTERVAL} AND slot < $3
"""


def rolled(metric: Metric) -> list[str]:
    """The columns of a metric in a roll-up table: count, sum, least and greatest."""
    return [quoted(f"{metric.name}_{part}") for part in ("n", "sum", "min", "max")]


def steps(family: Family, metrics: Sequence[Metric], source: Resolution) -> str:
    """Sums over steps; $7 is the step. Columns: number, begins, then count, sum, least, greatest per metric."""
    inner = ["date_bin($7::interval, time, '1970-01-01Z'::timestamptz) AS step"]
    outer = [packed("step")]
    for k, metric in enumerate(metrics):
        column = quoted(metric.name)
        if source == "raw":
            inner.append(f"count({column}) AS n{k}, {_sum(metric, source)} AS s{k}")
            inner.append(f"min({column}) AS a{k}, max({column}) AS b{k}")
        else:
            n, _, least, greatest = rolled(metric)
            inner.append(f"sum({n}) AS n{k}, {_sum(metric, source)} AS s{k}")
            inner.append(f"min({least}) AS a{k}, max({greatest}) AS b{k}")
        outer += [packed(f"coalesce(n{k}::int8, 0)"), packed(f"coalesce(s{k}, 0)")]
        outer += [packed_counts(f"a{k}"), packed_counts(f"b{k}")]
    return _per_piece(outer, f"SELECT {', '.join(inner)} {_of_piece(family, source)} GROUP BY 1")


def _sum(metric: Metric, source: Resolution) -> str:
    """A sum as float8, by the addition that is quickest for its type; a numeric is slow to convert."""
    column = quoted(metric.name) if source == "raw" else rolled(metric)[1]
    exact = metric.column == "int8" if source != "raw" else metric.column != "int8"
    return f"sum({column})::float8" if exact else f"sum({column}::float8)"


def rows(family: Family, metrics: Sequence[Metric]) -> str:
    """Stored rows in order of time. Columns: number, times, then counts per metric."""
    names = [quoted(metric.name) for metric in metrics]
    inner = f"SELECT time, {', '.join(names)} {_of_piece(family, 'raw')} ORDER BY time"
    return _per_piece([packed("time"), *map(packed_counts, names)], inner)


def hours(family: Family, metrics: Sequence[Metric]) -> str:
    """Hour rows in order of time. Columns: number, begins; per metric count, sum, least, greatest, list of sketches."""
    inner, outer = ["time"], [packed("time")]
    for k, metric in enumerate(metrics):
        n, total, least, greatest = rolled(metric)
        sketch = quoted(f"{metric.name}_sketch")
        inner.append(f"{n} AS n{k}, {total}::float8 AS s{k}, {least} AS a{k}, {greatest} AS b{k}, {sketch} AS q{k}")
        outer += [packed(f"coalesce(n{k}::int8, 0)"), packed(f"coalesce(s{k}, 0)")]
        outer += [packed_counts(f"a{k}"), packed_counts(f"b{k}"), f"array_agg(q{k})"]
    return _per_piece(outer, f"SELECT {', '.join(inner)} {_of_piece(family, 'hour')} ORDER BY time")


def count_hours(family: Family) -> str:
    """How many hour rows there are in all pieces together."""
    return f"""
        SELECT count(*) FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[])
            AS p (host, instance, first, last)
        CROSS JOIN LATERAL (SELECT 1 {_of_piece(family, "hour", bounded=False)}) AS found
    """


def any_row(family: Family, source: Resolution) -> str:
    """The number of every piece within which there is a row: one look into the index each."""
    return f"""
        SELECT p.number - 1 FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[])
            WITH ORDINALITY AS p (host, instance, first, last, number)
        CROSS JOIN LATERAL (SELECT time {_of_piece(family, source)} ORDER BY time LIMIT 1) AS found
    """


def export(family: Family, metrics: Sequence[Metric]) -> str:
    """The first stored rows of one host in order of time: time, instance id, then counts.

    $1 host id, $2 instance ids, which a family without passes over, $3 and $4 the range, $5 how many.
    """
    names = ", ".join(quoted(metric.name) for metric in metrics)
    table = quoted(family.name)
    if family.instance:
        return f"""
            SELECT time, instance_id, {names} FROM {table}
            WHERE host_id = $1 AND instance_id = ANY($2::int[]) AND time >= $3 AND time < $4
            ORDER BY time, instance_id LIMIT $5
        """
    return f"""
        SELECT time, 0, {names} FROM {table}
        WHERE host_id = $1 AND $2::int[] IS NOT NULL AND time >= $3 AND time < $4
        ORDER BY time LIMIT $5
    """


def extent(family: Family, source: Resolution = "raw") -> str:
    """The first and the last time of one host's rows in a range, null without any; parameters as of `export`."""
    instance = "AND instance_id = i.id" if family.instance else ""
    table = quoted(family.name + SUFFIX[source])
    one = f"SELECT time FROM {table} WHERE host_id = $1 {instance} AND time >= $3 AND time < $4"
    return f"""
        SELECT min(first), max(last) FROM unnest($2::int[]) AS i (id) CROSS JOIN LATERAL (
            SELECT ({one} ORDER BY time LIMIT 1) AS first, ({one} ORDER BY time DESC LIMIT 1) AS last) AS found
    """


def first_with(family: Family, metrics: Sequence[Metric], source: Resolution) -> str:
    """When the metric numbered $5 in `metrics` first had the value $6 within a piece; null when it did not."""
    picked = _picked((quoted(m.name) if source == "raw" else rolled(m)[3] for m in metrics), "p.metric")
    return f"""
        SELECT (SELECT min(time) {_of_piece(family, source, bounded=False)} AND {picked} = p.value)
        FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[], $5::int[], $6::int8[])
            WITH ORDINALITY AS p (host, instance, first, last, metric, value, number) ORDER BY p.number
    """


def last_of(family: Family, metrics: Sequence[Metric]) -> str:
    """The last value of the metric numbered $5 in `metrics` within a piece; null when it has none."""
    picked = _picked((quoted(metric.name) for metric in metrics), "p.metric")
    return f"""
        SELECT (SELECT {picked} {_of_piece(family, "raw", bounded=False)} AND {picked} IS NOT NULL
                ORDER BY time DESC, 1 DESC LIMIT 1)
        FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[], $5::int[])
            WITH ORDINALITY AS p (host, instance, first, last, metric, number) ORDER BY p.number
    """


def _picked(columns: Iterable[str], number: str) -> str:
    cases = " ".join(f"WHEN {k} THEN {column}::int8" for k, column in enumerate(columns))
    return f"(CASE {number} {cases} END)"


def _of_piece(family: Family, source: Resolution, bounded: bool = True) -> str:
    """FROM and WHERE for the rows of piece `p`."""
    instance = "AND instance_id = p.instance" if family.instance else ""
    bounds = "AND time >= $5 AND time < $6" if bounded else ""
    table = quoted(family.name + SUFFIX[source])
    return f"FROM {table} WHERE host_id = p.host {instance} AND time >= p.first AND time < p.last {bounds}"


def _per_piece(outer: Sequence[str], inner: str) -> str:
    names = [f"{column} AS c{k}" for k, column in enumerate(outer)]
    return f"""
        SELECT p.number - 1, found.*
        FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[])
            WITH ORDINALITY AS p (host, instance, first, last, number)
        CROSS JOIN LATERAL (SELECT {", ".join(names)} FROM ({inner}) AS one) AS found
        WHERE found.c0 IS NOT NULL
    """
