"""What the gateway asks of the tables.

Identifiers come from the catalogue only, whose names are ours; everything that a request says is a parameter. The three
queries on family tables share their parameters: $1 host id, $2 and $3 the range [from, to), $4 instance ids, which a
family without instances passes over.
"""

# ruff: noqa: S608 -- see above

from __future__ import annotations

from collections.abc import Sequence

from schemas.catalogue import Family, Metric

HOST_ID = "SELECT id FROM hosts WHERE name = $1"

HOSTS = "SELECT name, facts, last_sample FROM hosts ORDER BY name"

INSTANCES = "SELECT family, name, id FROM instances WHERE host_id = $1 AND family = ANY($2) ORDER BY name"

LABELS = """
SELECT h.name AS host, i.family, i.name AS instance, i.labels FROM instances i JOIN hosts h ON h.id = i.host_id
WHERE i.labels <> '{}'
"""

ALERT_COUNTS = """
SELECT h.name AS host, s.body ->> 'severity' AS severity, count(*) AS number
FROM alert_states s JOIN hosts h ON h.id = s.host_id WHERE s.state IN ('firing', 'recovering') GROUP BY 1, 2
"""

ACTIVE_ALERTS = """
SELECT s.rule_id, h.name AS host, s.instance, s.state, s.body
FROM alert_states s JOIN hosts h ON h.id = s.host_id WHERE s.state <> 'ok'
"""

ALERT_HISTORY = """
SELECT t.body, o.channel, o.status, o.attempts, o.answer
FROM alert_transitions t LEFT JOIN outbox o ON o.transition_id = t.id AND o.channel <> 'bus'
ORDER BY t.id DESC LIMIT $1
"""

RULES = "SELECT body, version FROM rules ORDER BY id"

RULE = "SELECT body, version FROM rules WHERE id = $1"

RULE_VERSION = "SELECT version FROM rules WHERE id = $1"

INSERT_RULE = "INSERT INTO rules (id, body) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING version"

UPDATE_RULE = """
UPDATE rules SET body = $2, version = version + 1, changed = now()
WHERE id = $1 AND ($3::integer IS NULL OR version = $3) RETURNING version
"""

DELETE_RULE = "DELETE FROM rules WHERE id = $1 AND ($2::integer IS NULL OR version = $2) RETURNING version"

SETTINGS = "SELECT key, value, version FROM settings"

SETTING = "SELECT value FROM settings WHERE key = $1"

SETTING_VERSION = "SELECT version FROM settings WHERE key = $1"

# $3 is the version that must be there: null for any, 0 for none yet.
PUT_SETTING = """
INSERT INTO settings AS s (key, value) SELECT $1, $2::jsonb WHERE coalesce($3::integer, 0) = 0 OR EXISTS
    (SELECT FROM settings WHERE key = $1 AND version = $3)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = s.version + 1, changed = now()
WHERE $3::integer IS NULL OR s.version = $3
RETURNING version
"""

INGEST_POSITION = "SELECT seq, time_ns FROM positions WHERE consumer = 'ingest' AND stream = $1"

NEWEST_SAMPLE = "SELECT max(last_sample) FROM hosts"

SET_FACTS = "UPDATE hosts SET facts = $2 WHERE id = $1"


def _column(metric: Metric) -> str:
    return f'"{metric.name}"'  # some are key words, such as user


def _columns(metrics: Sequence[Metric]) -> str:
    return ", ".join(map(_column, metrics))


def _rows_of(family: Family) -> str:
    """The part of FROM and WHERE that picks one host's rows of a range."""
    instances = "instance_id = ANY($4::integer[])" if family.instance else "$4::integer[] IS NOT NULL"
    return f"FROM {family.name} WHERE host_id = $1 AND time >= $2 AND time < $3 AND {instances}"


def _instance(family: Family) -> str:
    return "instance_id" if family.instance else "0 AS instance_id"


def steps(family: Family, metrics: Sequence[Metric]) -> str:
    """Mean, least and greatest count per step and instance; $5 is the step.

    Columns: begin of the step, instance id, then three per metric.
    """
    columns = ", ".join(f"avg({c})::float8, min({c}), max({c})" for c in map(_column, metrics))
    return f"""
        SELECT date_bin($5::interval, time, '1970-01-01Z'::timestamptz) AS step, {_instance(family)},
               {columns} {_rows_of(family)} GROUP BY 1, 2
    """


def rows(family: Family, metrics: Sequence[Metric]) -> str:
    """Stored rows in order of time: time, instance id, then one column per metric."""
    return f"SELECT time, {_instance(family)}, {_columns(metrics)} {_rows_of(family)} ORDER BY time"


def statistics(family: Family, metrics: Sequence[Metric]) -> str:
    """Exact statistics per instance: instance id, then per metric what `history.stats` takes apart.

    A first pass takes everything that one pass can; a second finds when the greatest value first occurred and the value
    at the last time, which a single pass could do by sorting only. A percentile is the least stored value that at least
    that share of all values does not exceed (percentile_disc, nearest rank): always a value that was there.
    """
    columns = list(enumerate(map(_column, metrics)))
    whole = ", ".join(
        f"""count({c}) AS count_{k}, min({c}) AS min_{k}, avg({c})::float8 AS avg_{k}, max({c}) AS max_{k},
        percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY {c}) AS percentiles_{k},
        max(time) FILTER (WHERE {c} IS NOT NULL) AS last_time_{k}"""
        for k, c in columns
    )
    found = ", ".join(
        f"""min(picked.time) FILTER (WHERE picked.{c} = max_{k}) AS max_time_{k},
        max(picked.{c}) FILTER (WHERE picked.time = last_time_{k}) AS last_{k}"""
        for k, c in columns
    )
    results = ", ".join(
        f"count_{k}, min_{k}, avg_{k}, max_{k}, max_time_{k}, percentiles_{k}, last_{k}" for k, _ in columns
    )
    return f"""
        WITH picked AS NOT MATERIALIZED (SELECT time, {_instance(family)}, {_columns(metrics)} {_rows_of(family)}),
        whole AS MATERIALIZED (SELECT instance_id, {whole} FROM picked GROUP BY instance_id),
        found AS (SELECT instance_id, {found} FROM picked JOIN whole USING (instance_id) GROUP BY instance_id)
        SELECT instance_id, {results} FROM whole JOIN found USING (instance_id)
    """


def latest(family: Family) -> str:
    """The newest row of every host and instance: host, instance, time, then all metrics."""
    newest = f"SELECT time, {_columns(family.metrics)} FROM {family.name} WHERE host_id = h.id"
    if not family.instance:
        return f"""
            SELECT h.name AS host, '' AS instance, newest.* FROM hosts h
            CROSS JOIN LATERAL ({newest} ORDER BY time DESC LIMIT 1) newest
        """
    return f"""
        SELECT h.name AS host, i.name AS instance, newest.* FROM instances i JOIN hosts h ON h.id = i.host_id
        CROSS JOIN LATERAL ({newest} AND instance_id = i.id ORDER BY time DESC LIMIT 1) newest
        WHERE i.family = '{family.name}'
    """


def recent(family: Family) -> str:
    """The rows since $2 of the host called $1: host, instance, time, then all metrics."""
    wanted = f"SELECT time, {_columns(family.metrics)} FROM {family.name} WHERE host_id = h.id AND time >= $2"
    if not family.instance:
        return f"""
            SELECT h.name AS host, '' AS instance, r.* FROM hosts h CROSS JOIN LATERAL ({wanted}) r WHERE h.name = $1
        """
    return f"""
        SELECT h.name AS host, i.name AS instance, r.* FROM hosts h JOIN instances i ON i.host_id = h.id
        CROSS JOIN LATERAL ({wanted} AND instance_id = i.id) r WHERE h.name = $1 AND i.family = '{family.name}'
    """
