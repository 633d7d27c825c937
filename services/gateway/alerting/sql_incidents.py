"""What the gateway asks of incidents and of everything that hangs on them."""

from __future__ import annotations

from collections.abc import Mapping

_COLUMNS = """
    i.id, i.rule_id, i.host, coalesce(h.label, '') AS label, i.instance, i.level, i.past, i.body, i.acknowledged,
    i.version, i.settled, extract(epoch FROM i.opened)::float8 AS opened_s,
    extract(epoch FROM i.closed)::float8 AS closed_s,
    extract(epoch FROM i.noticed)::float8 AS noticed_s,
    coalesce(h.tags, ARRAY(SELECT jsonb_array_elements_text(
        CASE WHEN jsonb_typeof(i.body -> 'tags') = 'array' THEN i.body -> 'tags' ELSE '[]' END))) AS tags,
    ARRAY(SELECT t.channel FROM told t WHERE t.incident_id = i.id ORDER BY t.channel) AS told
"""
_FROM = "FROM incidents i LEFT JOIN hosts h ON h.id = i.host_id AND h.state <> 'removing'"

# Of an open one: whether it is seen as it is now, like `schemas.incidents.is_seen`. What cannot be read has no effect.
_SEEN = """CASE WHEN i.closed IS NOT NULL THEN i.acknowledged IS NOT NULL
    ELSE coalesce(jsonb_path_exists(i.acknowledged,
    '$ ? (@.level >= $level && (!exists (@.until) || @.until == null || @.until > $now))',
    jsonb_build_object('level', i.level, 'now', extract(epoch FROM now()))), false) END"""
_MICROSECONDS = "(extract(epoch FROM {}) * 1000000)::bigint"
_MOMENT = "to_timestamp(0) + $11::bigint * interval '1 microsecond'"
# Of two that are equally grave the newer first: the level stands before any time that microseconds have.
_GRAVITY = f"(i.level * 100000000000000000::bigint + {_MICROSECONDS.format('i.opened')})"
SORTS: Mapping[str, tuple[str, str, str, str]] = {
    "newest": ("i.opened", "DESC", _MICROSECONDS.format("i.opened"), _MOMENT),
    "oldest": ("i.opened", "ASC", _MICROSECONDS.format("i.opened"), _MOMENT),
    "changed": ("i.noticed", "DESC", _MICROSECONDS.format("i.noticed"), _MOMENT),
    "severity": (_GRAVITY, "DESC", _GRAVITY, "$11::bigint"),
}
"""What each order goes by and in which direction, that as a whole number, and the number as what it goes by."""

# Null: whatever it is. $10 is text that one of the names contains, with LIKE's own characters escaped.
_FILTERED = f"""
WHERE ($1::boolean IS NULL OR (i.closed IS NULL) = $1)
    AND ($2::text IS NULL OR i.body ->> 'severity' = $2)
    AND ($3::text IS NULL OR i.host = $3)
    AND ($4::text IS NULL OR $4 = ANY(h.tags) OR (h.id IS NULL AND i.body -> 'tags' ? $4))
    AND ($5::text IS NULL OR i.rule_id = $5)
    AND ($6::boolean IS NULL OR ({_SEEN}) = $6)
    AND ($7::boolean IS NULL OR i.past = $7)
    AND ($8::timestamptz IS NULL OR i.closed IS NULL OR i.closed >= $8)
    AND ($9::timestamptz IS NULL OR i.opened < $9)
    AND ($10::text IS NULL OR concat_ws(E'\\n', i.rule_id, i.body ->> 'rule_name', i.host, h.label, i.instance,
        i.body ->> 'metric') ILIKE '%' || $10 || '%')
"""


def listed(sort: str) -> str:
    """A page of those that fit $1 to $10, after position $11 and number $12 (null: the first page), at most $13."""
    key, direction, number, after = SORTS[sort]
    beyond = "<" if direction == "DESC" else ">"
    return f"""
        SELECT {_COLUMNS}, {number} AS position {_FROM} {_FILTERED}
            AND ($11::bigint IS NULL OR ({key}, i.id) {beyond} ({after}, $12::bigint))
        ORDER BY {key} {direction}, i.id {direction} LIMIT $13
    """


INCIDENT = f"SELECT {_COLUMNS} {_FROM} WHERE i.id = $1"

OPEN = f"SELECT {_COLUMNS} {_FROM} WHERE i.closed IS NULL ORDER BY i.opened DESC, i.id DESC LIMIT $1"

LOCK = """
SELECT id, level, closed IS NOT NULL AS over, acknowledged, version FROM incidents WHERE id = $1 FOR UPDATE
"""

# In the order of their numbers: two requests at once wait for one another, not each for the other.
ACKNOWLEDGE = "UPDATE incidents SET acknowledged = $2, version = version + 1 WHERE id = $1 RETURNING version"

COUNT_NOTES = "SELECT count(*) FROM incident_steps WHERE incident_id = $1 AND kind = 'noted'"

ADD_STEP = "INSERT INTO incident_steps (incident_id, at, kind, body) VALUES ($1, to_timestamp($2), $3, $4)"

STEPS = """
SELECT extract(epoch FROM at)::float8 AS at_s, kind, body FROM (
    SELECT * FROM incident_steps WHERE incident_id = $1 ORDER BY id DESC LIMIT $2
) AS newest ORDER BY id
"""

TOLD = """
SELECT channel, level, times, extract(epoch FROM at)::float8 AS at_s, extract(epoch FROM since)::float8 AS since_s
FROM told WHERE incident_id = $1 ORDER BY channel
"""

_MESSAGE = """
    n.id, n.channel, n.route, n.form, n.status, n.attempts, n.answer, n.delay_s::float8 AS delay_s,
    extract(epoch FROM n.made)::float8 AS made_s, extract(epoch FROM n.done)::float8 AS done_s,
    (SELECT count(*) FROM notification_items x WHERE x.notification_id = n.id) AS incidents
"""

NOTIFICATIONS_OF = f"""
SELECT {_MESSAGE} FROM notification_items m JOIN notifications n ON n.id = m.notification_id
WHERE m.incident_id = $1 ORDER BY n.id DESC LIMIT $2
"""  # noqa: S608 -- of constants

# Null: whatever it is; $6 is the last number of the page before.
NOTIFICATIONS = f"""
SELECT {_MESSAGE} FROM notifications n
WHERE ($1::text IS NULL OR n.channel = $1) AND ($2::text IS NULL OR n.status = $2)
    AND ($3::bigint IS NULL OR EXISTS (
        SELECT FROM notification_items m WHERE m.notification_id = n.id AND m.incident_id = $3))
    AND ($4::timestamptz IS NULL OR n.made >= $4) AND ($5::timestamptz IS NULL OR n.made < $5)
    AND n.id < coalesce($6::bigint, 9223372036854775807)
ORDER BY n.id DESC LIMIT $7
"""  # noqa: S608 -- of constants

# The states of alerts that are not ok, with the incidents that they are.
ACTIVE_ALERTS = """
SELECT s.rule_id, coalesce(h.name, '') AS host, s.instance, s.state, s.body, i.id AS incident,
    i.acknowledged, coalesce(i.level, 0) AS level
FROM alert_states s LEFT JOIN hosts h ON h.id = s.host_id
LEFT JOIN incidents i ON i.rule_id = s.rule_id AND i.host = coalesce(h.name, '') AND i.instance = s.instance
    AND NOT i.past AND i.closed IS NULL
WHERE s.state <> 'ok' AND NOT s.past AND (s.host_id IS NULL OR h.state = 'active')
"""

# $2 is the last number of the page before: null for the first page. Of each channel the last message that told of it.
ALERT_HISTORY = """
SELECT t.id, t.body, coalesce((
    SELECT jsonb_agg(jsonb_build_object('channel', m.channel, 'status', m.status, 'attempts', m.attempts,
        'answer', m.answer) ORDER BY m.channel)
    FROM (
        SELECT DISTINCT ON (n.channel) n.channel, n.status, n.attempts, n.answer
        FROM notification_items x JOIN notifications n ON n.id = x.notification_id
        WHERE x.incident_id = t.incident_id AND x.kind = t.kind ORDER BY n.channel, n.id DESC
    ) AS m), '[]') AS deliveries
FROM alert_transitions t
WHERE NOT EXISTS (SELECT FROM hosts h WHERE h.id = t.host_id AND h.state = 'removing')
    AND t.id < coalesce($2::bigint, 9223372036854775807)
ORDER BY t.id DESC LIMIT $1
"""

# Of an export: those of a stretch of time, after number $3.
TRANSITIONS = """
SELECT t.id, t.body FROM alert_transitions t
WHERE ($1::timestamptz IS NULL OR t.time >= $1) AND ($2::timestamptz IS NULL OR t.time < $2)
    AND NOT EXISTS (SELECT FROM hosts h WHERE h.id = t.host_id AND h.state = 'removing')
    AND t.id > $3 ORDER BY t.id LIMIT $4
"""
