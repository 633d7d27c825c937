"""What the gateway asks of the tables for the present: hosts, their facts, newest rows and counts.

Identifiers come from the catalogue only, whose names are ours; everything that a request says is a parameter.
"""

# ruff: noqa: S608 -- see above

from __future__ import annotations

from collections.abc import Sequence

from infra.storage.engines.tables import Kind, Table, quoted
from schemas.catalogue import Family, Metric

HOST_ID = "SELECT id FROM hosts WHERE name = $1 AND state <> 'removing'"

HOST_IDS = """
SELECT id, name FROM hosts WHERE ($1::text[] IS NULL OR name = ANY($1)) AND state <> 'removing' ORDER BY name
"""

REFUSALS = """
SELECT h.name AS host, r.family, r.reason, r.rows, r.last FROM refusals r JOIN hosts h ON h.id = r.host_id
WHERE h.state <> 'removing' ORDER BY r.last DESC
"""

HOSTS = """
SELECT id, name, state = 'archived' AS archived, facts, last_sample, label, tags, note, version,
       CASE WHEN muted_until = 'infinity' THEN -1 ELSE (extract(epoch FROM muted_until) * 1000)::bigint END AS muted_ms
FROM hosts WHERE state <> 'removing' ORDER BY name
"""

# Asked before HOSTS: who enrols in between is in both, and counts as there.
GONE = "SELECT name FROM removed_hosts r WHERE NOT EXISTS (SELECT FROM hosts h WHERE h.name = r.name)"

LABELS = """
SELECT h.name AS host, i.family, i.name AS instance, i.labels FROM instances i JOIN hosts h ON h.id = i.host_id
WHERE i.labels <> '{}' AND h.state <> 'removing' AND ($1::text[] IS NULL OR h.name = ANY($1))
"""

ALERT_COUNTS = """
SELECT h.name AS host, CASE i.level WHEN 2 THEN 'critical' ELSE 'warning' END AS severity, count(*) AS number
FROM incidents i JOIN hosts h ON h.id = i.host_id
WHERE i.closed IS NULL AND NOT i.past AND i.level > 0 AND h.state = 'active' GROUP BY 1, 2
"""

FACTS = "SELECT id, name, facts FROM hosts WHERE id = ANY($1)"

SET_FACTS = "UPDATE hosts SET facts = $2 WHERE id = $1"

ADD_EVENT = """
INSERT INTO host_events (host_id, time, kind, key, body) VALUES ($1, to_timestamp($2), $3, $4, $5)
ON CONFLICT DO NOTHING
"""

# Of several gateways each says it: who is away since less than a minute, or was then, leaves but once.
ADD_AWAY = """
INSERT INTO host_events (host_id, time, kind) SELECT $1, to_timestamp($2), 'away'
WHERE NOT EXISTS (
    SELECT FROM host_events WHERE host_id = $1 AND kind = 'away' AND (ended IS NULL OR ended > to_timestamp($2))
        AND time > to_timestamp($2) - interval '1 minute')
"""

END_AWAY = """
UPDATE host_events SET ended = to_timestamp($2) WHERE id = (
    SELECT id FROM host_events WHERE host_id = $1 AND kind = 'away' AND time <= to_timestamp($2)
    ORDER BY time DESC LIMIT 1) AND ended IS NULL
"""

# All but the newest $2 of a host.
DROP_EVENTS = """
DELETE FROM host_events WHERE id IN (
    SELECT id FROM host_events WHERE host_id = $1 ORDER BY time DESC, id DESC OFFSET $2)
"""


def _columns(metrics: Sequence[Metric]) -> str:
    return ", ".join(quoted(metric.name) for metric in metrics)


def latest(family: Family, kind: Kind = "raw") -> str:
    """The newest row of every instance of the hosts called $1, null for all: host, instance, time, then all metrics.

    Of a roll-up the metrics are means, in whole counts.
    """
    columns = _columns(family.metrics) if kind == "raw" else ", ".join(map(_mean, family.metrics))
    newest = f"SELECT time, {columns} FROM {quoted(Table(family, kind).name)} WHERE host_id = h.id"
    wanted = "h.state <> 'removing' AND ($1::text[] IS NULL OR h.name = ANY($1))"
    if not family.instance:
        return f"""
            SELECT h.name AS host, '' AS instance, newest.* FROM hosts h
            CROSS JOIN LATERAL ({newest} ORDER BY time DESC LIMIT 1) newest
            WHERE {wanted}
        """
    return f"""
        SELECT h.name AS host, i.name AS instance, newest.* FROM instances i JOIN hosts h ON h.id = i.host_id
        CROSS JOIN LATERAL ({newest} AND instance_id = i.id ORDER BY time DESC LIMIT 1) newest
        WHERE i.family = '{family.name}' AND {wanted}
    """


def _mean(metric: Metric) -> str:
    total, known = quoted(f"{metric.name}_sum"), quoted(f"{metric.name}_n")
    return f"round({total}::numeric / nullif({known}, 0))::bigint AS {quoted(metric.name)}"


def recent(family: Family) -> str:
    """The rows since $2 of the hosts called $1: host, instance, time, then all metrics."""
    wanted = f"SELECT time, {_columns(family.metrics)} FROM {family.name} WHERE host_id = h.id AND time >= $2"
    if not family.instance:
        return f"""
            SELECT h.name AS host, '' AS instance, r.* FROM hosts h
            CROSS JOIN LATERAL ({wanted}) r WHERE h.name = ANY($1)
        """
    return f"""
        SELECT h.name AS host, i.name AS instance, r.* FROM hosts h JOIN instances i ON i.host_id = h.id
        CROSS JOIN LATERAL ({wanted} AND instance_id = i.id) r WHERE h.name = ANY($1) AND i.family = '{family.name}'
    """
