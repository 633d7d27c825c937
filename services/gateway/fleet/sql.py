"""What the gateway asks of the tables for the present, rules, alerts and settings.

Identifiers come from the catalogue only, whose names are ours; everything that a request says is a parameter. What the
routes of the past ask is in `sql_history`.
"""

# ruff: noqa: S608 -- see above

from __future__ import annotations

from collections.abc import Sequence

from schemas.catalogue import Family, Metric

HOST_ID = "SELECT id FROM hosts WHERE name = $1"

HOST_IDS = "SELECT id, name FROM hosts WHERE $1::text[] IS NULL OR name = ANY($1) ORDER BY name"

REFUSALS = """
SELECT h.name AS host, r.family, r.reason, r.rows, r.last FROM refusals r JOIN hosts h ON h.id = r.host_id
ORDER BY r.last DESC
"""

HOSTS = "SELECT name, facts, last_sample FROM hosts ORDER BY name"

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

# Two changes at once, each fine beside the value that the other is about to replace, wait for one another here.
LOCK_SETTINGS = "LOCK TABLE settings IN SHARE ROW EXCLUSIVE MODE"

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
