"""What the gateway asks of channels, routes and silences."""

from __future__ import annotations

_STATE = """
    extract(epoch FROM s.held_since)::float8 AS held_since, coalesce(s.held_reason, '') AS held_reason,
    coalesce(s.failures, 0) AS failures, extract(epoch FROM s.next_try)::float8 AS next_try,
    last.status AS last_status, coalesce(last.answer, '') AS last_answer,
    (SELECT extract(epoch FROM max(n.done))::float8 FROM newest n WHERE n.channel = c.id AND n.status = 'sent')
        AS last_sent
"""

# What came of messages is looked for among the newest only: the table keeps them for years.
CHANNELS = f"""
WITH newest AS (SELECT * FROM notifications ORDER BY made DESC LIMIT 2000)
SELECT c.id, c.body, c.version, {_STATE}
FROM channels c LEFT JOIN channel_states s ON s.channel = c.id LEFT JOIN LATERAL (
    SELECT n.status, n.answer FROM newest n WHERE n.channel = c.id AND n.status <> 'sending' ORDER BY n.id DESC LIMIT 1
) AS last ON true
WHERE $1::text IS NULL OR c.id = $1 ORDER BY c.id
"""  # noqa: S608 -- of constants

LOCK_CHANNELS = "LOCK TABLE channels, routes IN SHARE ROW EXCLUSIVE MODE"

CHANNEL_BODIES = "SELECT id, body, version FROM channels ORDER BY id"

COUNT_CHANNELS = "SELECT count(*) FROM channels"

INSERT_CHANNEL = "INSERT INTO channels (id, body) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING version"

UPDATE_CHANNEL = "UPDATE channels SET body = $2, version = version + 1, changed = now() WHERE id = $1 RETURNING version"

# What is wrong with it may be mended: the next message tries it.
RELEASE_CHANNEL = """
UPDATE channel_states SET held_since = NULL, held_reason = '', failures = 0, next_try = now() WHERE channel = $1
"""

DELETE_CHANNEL = "DELETE FROM channels WHERE id = $1"

ROUTES = "SELECT id, body, version FROM routes ORDER BY id"

COUNT_ROUTES = "SELECT count(*) FROM routes"

INSERT_ROUTE = "INSERT INTO routes (id, body) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING version"

UPDATE_ROUTE = "UPDATE routes SET body = $2, version = version + 1, changed = now() WHERE id = $1 RETURNING version"

DELETE_ROUTE = "DELETE FROM routes WHERE id = $1"

_SILENCE = """
    id, body, by, version, extract(epoch FROM starts)::float8 AS starts_s, extract(epoch FROM ends)::float8 AS ends_s
"""

# $1 is now; $2 which: null for all. $3 and $4 are end and number of the last of the page before.
SILENCES = f"""
SELECT {_SILENCE}, (extract(epoch FROM ends) * 1000000)::bigint AS position FROM silences
WHERE ($2::text IS NULL OR $2 = CASE WHEN ends <= to_timestamp($1) THEN 'expired'
        WHEN starts > to_timestamp($1) THEN 'pending' ELSE 'active' END)
    AND ($3::bigint IS NULL OR ((extract(epoch FROM ends) * 1000000)::bigint, id) < ($3, $4::bigint))
ORDER BY position DESC, id DESC LIMIT $5
"""  # noqa: S608 -- of constants

SILENCE = f"SELECT {_SILENCE} FROM silences WHERE id = $1"  # noqa: S608 -- of constants

LOCK_SILENCE = f"{SILENCE} FOR UPDATE"

COUNT_SILENCES = "SELECT count(*) FROM silences WHERE ends > now()"

INSERT_SILENCE = """
INSERT INTO silences (starts, ends, body, by) VALUES (to_timestamp($1), to_timestamp($2), $3, $4) RETURNING id
"""

UPDATE_SILENCE = """
UPDATE silences SET starts = to_timestamp($2), ends = to_timestamp($3), body = $4, version = version + 1 WHERE id = $1
"""

DELETE_SILENCE = "DELETE FROM silences WHERE id = $1"

HOSTS = "SELECT name, tags FROM hosts WHERE state = 'active' ORDER BY name"

HAS_HOST = "SELECT EXISTS (SELECT FROM hosts WHERE name = $1 AND state <> 'removing')"

HAS_CHANNEL = "SELECT EXISTS (SELECT FROM channels WHERE id = $1)"

HOST = """
SELECT tags, CASE WHEN muted_until = 'infinity' THEN 'infinity'::float8
    ELSE extract(epoch FROM muted_until)::float8 END AS muted_s
FROM hosts WHERE name = $1 AND state <> 'removing'
"""
