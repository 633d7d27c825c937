"""What the alert service reads and writes."""

from __future__ import annotations

from infra.storage.engines.tables import SUFFIX, quoted

RULES = "SELECT id, body FROM rules ORDER BY id"

HOSTS = """
SELECT name, id, tags, CASE WHEN jsonb_typeof(facts -> 'boot_time') = 'number'
    THEN (facts ->> 'boot_time')::float8 ELSE 0 END AS booted_s, greatest(
    CASE WHEN jsonb_typeof(facts -> 'batch_interval_s') = 'number' THEN (facts ->> 'batch_interval_s')::float8 END,
    CASE WHEN jsonb_typeof(facts -> 'sample_interval_s') = 'number' THEN (facts ->> 'sample_interval_s')::float8 END,
    0) AS interval_s
FROM hosts WHERE state = 'active'
"""

HEARTBEAT = "SELECT key, value FROM settings WHERE key IN ('heartbeat_url', 'heartbeat_every_s')"

HOST_IDS = "SELECT name, id FROM hosts WHERE name = ANY($1) AND state = 'active'"

ALL_HOST_IDS = "SELECT name, id FROM hosts WHERE name = ANY($1)"

GENERATION = "SELECT generation FROM horizons WHERE name = 'raw'"

STATES = """
SELECT s.rule_id, coalesce(h.name, '') AS host, s.instance, s.body
FROM alert_states s LEFT JOIN hosts h ON h.id = s.host_id
WHERE s.past = $1 AND (s.host_id IS NULL) = $2 AND (h.state = 'active' OR s.host_id IS NULL)
"""

OPEN_INCIDENTS = """
SELECT id, rule_id, host, instance, body, acknowledged, extract(epoch FROM opened)::float8 AS opened_s FROM incidents
WHERE closed IS NULL AND past = $1 AND (host = '') = $2
"""

# Of hosts that somebody deleted from the tables by hand: whoever removes one by the API ends its alerts in doing so.
CLOSE_OF_NOBODY = """
UPDATE incidents i SET closed = greatest(now(), opened), level = 0, noticed = now(), settled = false,
    body = body || jsonb_build_object('ending', 'gone', 'changed', extract(epoch FROM now())::float8)
WHERE closed IS NULL AND host <> '' AND NOT EXISTS (SELECT FROM hosts h WHERE h.name = i.host AND h.state = 'active')
"""

# It would stand in the way of the next one of its alert.
CLOSE_UNREADABLE = "UPDATE incidents SET closed = now(), level = 0, settled = true WHERE id = $1"

SILENCES = """
SELECT h.name AS host, extract(epoch FROM now() - max(m.seen))::float8 AS age_s
FROM marks m JOIN hosts h ON h.id = m.host_id
WHERE m.consumer = $1 AND m.lane = 'metrics' AND h.state = 'active' GROUP BY h.name
"""

UPSERT_STATES = """
INSERT INTO alert_states (rule_id, host_id, instance, past, state, body)
SELECT r, h, i, $4, s, b
FROM unnest($1::text[], $2::integer[], $3::text[], $5::text[], $6::jsonb[]) AS t (r, h, i, s, b)
ON CONFLICT (rule_id, host_id, instance, past) DO UPDATE SET state = excluded.state, body = excluded.body
"""

# Those without a host apart: no index finds what IS NOT DISTINCT FROM; each would be looked for among all of a rule.
DELETE_STATES = """
WITH gone AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::integer[], $3::text[]) AS gone (rule_id, host_id, instance)
), of_hosts AS (
    DELETE FROM alert_states s USING gone
    WHERE s.rule_id = gone.rule_id AND s.host_id = gone.host_id AND s.instance = gone.instance AND s.past = $4
)
DELETE FROM alert_states s USING gone
WHERE gone.host_id IS NULL AND s.host_id IS NULL AND s.rule_id = gone.rule_id AND s.instance = gone.instance
    AND s.past = $4
"""

# A row of state ok only remembers which sample times it has seen; what is older than the stream keeps never returns.
# One without a number there is unreadable and remembers nothing. What is missing is waited for, though.
FORGET_STATES = """
DELETE FROM alert_states s USING hosts h
WHERE h.id = s.host_id AND s.state = 'ok' AND s.past = $2
    AND NOT coalesce(s.body -> 'machine' ? 'absent_ms', false)
    AND CASE WHEN jsonb_typeof(s.body -> 'machine' -> 'last_ms') = 'number'
        THEN (s.body -> 'machine' ->> 'last_ms')::numeric < $1::bigint ELSE true END
RETURNING s.rule_id, h.name AS host, s.instance
"""

# Numbers are drawn first because bodies carry them.
TRANSITION_IDS = """
SELECT nextval(pg_get_serial_sequence('alert_transitions', 'id')) AS id FROM generate_series(1, $1)
"""

INCIDENT_IDS = "SELECT nextval(pg_get_serial_sequence('incidents', 'id')) AS id FROM generate_series(1, $1)"

# Changed last, noticed now: from then on there is news until it was told.
SAVE_INCIDENTS = """
INSERT INTO incidents (id, rule_id, host, host_id, instance, past, opened, closed, level, noticed, body)
OVERRIDING SYSTEM VALUE
SELECT n, r, h, x, i, $6, to_timestamp(o), to_timestamp(c), l, to_timestamp($10), b
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::integer[], $5::text[], $7::float8[], $8::float8[], $9::smallint[],
    $11::jsonb[]) AS t (n, r, h, x, i, o, c, l, b)
ON CONFLICT (id) DO UPDATE SET closed = excluded.closed, level = excluded.level, noticed = excluded.noticed,
    body = excluded.body, settled = false
"""

INSERT_TRANSITIONS = """
INSERT INTO alert_transitions (id, time, host_id, rule_id, instance, kind, body, incident_id) OVERRIDING SYSTEM VALUE
SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
    $8::bigint[])
"""

ADD_STEPS = """
INSERT INTO incident_steps (incident_id, at, kind, body)
SELECT i, to_timestamp(a), k, b
FROM unnest($1::bigint[], $2::float8[], $3::text[], $4::jsonb[]) WITH ORDINALITY AS s (i, a, k, b, n)
WHERE EXISTS (SELECT FROM incidents WHERE id = i) ORDER BY n
"""

UNPUBLISHED = "SELECT id, body FROM alert_transitions WHERE NOT published ORDER BY id LIMIT $1"

PUBLISHED = "UPDATE alert_transitions SET published = true WHERE id = ANY($1)"

HELD_CHANNELS = """
SELECT c.id, coalesce(extract(epoch FROM now() - s.held_since)::float8, 0) AS held_s
FROM channels c LEFT JOIN channel_states s ON s.channel = c.id
"""

CHANNEL = "SELECT body FROM channels WHERE id = $1"


def stored_means(family: str, metric: str, with_instances: bool) -> str:
    """Of host $1 from $2 until before $3: by instance (empty without) and minute, how many values and their sum.

    In counts. Minutes are rolled up some time after they have ended, so the newest are made of raw rows, of an hour at
    most. Names are the catalogue's.
    """
    n, total, value = quoted(f"{metric}_n"), quoted(f"{metric}_sum"), quoted(metric)
    minutes = quoted(family + SUFFIX["minute"])
    name, join = ("i.name", "JOIN instances i ON i.id = m.instance_id") if with_instances else ("''", "")
    return f"""
        SELECT {name} AS instance, (extract(epoch FROM m.time) * 1000)::bigint AS time_ms, m.{n} AS n,
            m.{total}::float8 AS total
        FROM {minutes} m {join}
        WHERE m.host_id = $1 AND m.time >= $2 AND m.time < $3 AND m.{n} > 0
        UNION ALL
        SELECT {name}, (extract(epoch FROM date_bin('1 min', m.time, '1970-01-01Z')) * 1000)::bigint,
            count(m.{value}), sum(m.{value})::float8
        FROM {quoted(family + SUFFIX["raw"])} m {join}
        WHERE m.host_id = $1 AND m.{value} IS NOT NULL AND m.time < $3 AND m.time >= greatest($2,
            $3::timestamptz - interval '1 hour',
            (SELECT max(r.time) + interval '1 min' FROM {minutes} r
             WHERE r.host_id = $1 AND r.time >= $2 AND r.time < $3))
        GROUP BY 1, 2
        ORDER BY 2
    """  # noqa: S608  (names of the catalogue only)
