"""What telling reads and writes. Moments that it reads are Unix seconds."""

# What tells rows apart that are as they were when they were last read; bodies are read of the others only.
INCIDENT_MARKS = """
SELECT i.id, i.xmin::text || ' ' || coalesce(array_to_string(h.tags, ',') || ' ' || h.label, '') AS mark
FROM incidents i LEFT JOIN hosts h ON h.id = i.host_id WHERE NOT i.settled ORDER BY i.id
"""

INCIDENTS = """
SELECT i.id, i.rule_id, i.host, i.instance, i.level, i.past, i.body, i.acknowledged,
       extract(epoch FROM i.noticed)::float8 AS noticed_s, extract(epoch FROM i.opened)::float8 AS opened_s,
       extract(epoch FROM i.closed)::float8 AS closed_s, coalesce(h.tags, '{}') AS tags, coalesce(h.label, '') AS label
FROM incidents i LEFT JOIN hosts h ON h.id = i.host_id WHERE i.id = ANY($1)
"""

TOLD = """
SELECT t.incident_id, t.channel, t.level, t.times, t.reference, t.unsure, extract(epoch FROM t.at)::float8 AS at_s,
       extract(epoch FROM t.since)::float8 AS since_s
FROM told t JOIN incidents i ON i.id = t.incident_id WHERE NOT i.settled
"""

ROUTES = "SELECT id, body FROM routes ORDER BY id"

# A channel that was held counts as mended once it is another one.
CHANNELS = """
SELECT c.id, c.body, c.xmin::text AS mark,
       s.held_since IS NOT NULL AND s.version = c.version AS held, coalesce(s.version = c.version, true) AS same,
       coalesce(s.held_reason, '') AS held_reason,
       coalesce(extract(epoch FROM s.next_try)::float8, 0) AS next_s, coalesce(s.failures, 0) AS failures,
       coalesce(s.storms, '{}') AS storms
FROM channels c LEFT JOIN channel_states s ON s.channel = c.id ORDER BY c.id
"""

SILENCES = "SELECT id, body FROM silences WHERE ends > to_timestamp($1) ORDER BY id"

MUTED = """
SELECT name,
       CASE WHEN muted_until = 'infinity' THEN 'infinity' ELSE extract(epoch FROM muted_until)::float8 END AS until_s
FROM hosts WHERE muted_until > to_timestamp($1)
"""

SETTINGS = "SELECT key, value FROM settings WHERE key = 'dashboard_url'"

HOSTS = "SELECT count(*) FROM hosts WHERE state = 'active'"

SENT_LATELY = """
SELECT channel, route, extract(epoch FROM done)::float8 AS at_s FROM notifications
WHERE status = 'sent' AND made > to_timestamp($1) - interval '1 hour' AND done > to_timestamp($1) ORDER BY done
"""

# Nobody saw the answer: the message may have arrived, and is made anew out of what is true now.
FORGET_SENDING = """
WITH lost AS (
    UPDATE notifications SET status = 'unknown', answer = 'the service ended while it was sent', done = to_timestamp($1)
    WHERE status = 'sending' AND NOT id = ANY($2) RETURNING id, channel
)
INSERT INTO told (incident_id, channel, level, at, since, unsure)
SELECT n.incident_id, l.channel, 1, to_timestamp($1), to_timestamp($1), true
FROM lost l JOIN notification_items n ON n.notification_id = l.id JOIN channels c ON c.id = l.channel
WHERE n.kind = 'fire'
ON CONFLICT (incident_id, channel) DO UPDATE SET level = 1, unsure = true WHERE told.level = 0
"""

BEGIN = """
INSERT INTO notifications (channel, route, form, status, made) VALUES ($1, $2, $3, 'sending', to_timestamp($4))
RETURNING id
"""

# Nothing else was to be said meanwhile: it is the same message. Since when it has failed is told by when it was made.
BEGIN_AGAIN = """
UPDATE notifications SET status = 'sending' WHERE id = $1 RETURNING id
"""

ADD_ITEMS = """
INSERT INTO notification_items (notification_id, incident_id, kind)
SELECT $1, i, k FROM unnest($2::bigint[], $3::text[]) AS t (i, k) WHERE EXISTS (SELECT FROM incidents WHERE id = i)
"""

END = """
UPDATE notifications SET status = $2, answer = $3, attempts = attempts + 1, done = to_timestamp($4), delay_s = $5
WHERE id = $1
"""

SAVE_TOLD = """
INSERT INTO told (incident_id, channel, level, at, since, times, reference, unsure)
SELECT i, $2, l, to_timestamp(a), to_timestamp(s), n, r, u
FROM unnest($1::bigint[], $3::smallint[], $4::float8[], $5::float8[], $6::integer[], $7::jsonb[], $8::boolean[])
    AS t (i, l, a, s, n, r, u)
WHERE EXISTS (SELECT FROM incidents WHERE id = i) AND EXISTS (SELECT FROM channels WHERE id = $2)
ON CONFLICT (incident_id, channel) DO UPDATE
SET level = excluded.level, at = excluded.at, since = excluded.since, times = excluded.times,
    reference = excluded.reference, unsure = excluded.unsure
"""

SAVE_STATE = """
INSERT INTO channel_states (channel, held_since, held_reason, version, next_try, failures, storms)
SELECT id, CASE WHEN $2 <> '' THEN now() END, $2, version, to_timestamp($3), $4, $5 FROM channels WHERE id = $1
ON CONFLICT (channel) DO UPDATE SET
    held_since = CASE WHEN $2 = '' THEN NULL ELSE coalesce(channel_states.held_since, now()) END,
    held_reason = excluded.held_reason, version = excluded.version, next_try = excluded.next_try,
    failures = excluded.failures, storms = excluded.storms
"""

SETTLE_TOLD = """
UPDATE told SET level = 0, unsure = false FROM unnest($1::bigint[], $2::text[]) AS s (i, c)
WHERE told.incident_id = s.i AND told.channel = s.c
"""

SETTLE = "UPDATE incidents SET settled = true WHERE id = ANY($1) AND level = 0"

ADD_STEPS = """
INSERT INTO incident_steps (incident_id, at, kind, body)
SELECT i, to_timestamp(a), k, b
FROM unnest($1::bigint[], $2::float8[], $3::text[], $4::jsonb[]) WITH ORDINALITY AS s (i, a, k, b, n)
WHERE EXISTS (SELECT FROM incidents WHERE id = i) ORDER BY n
"""

LAST_DECISIONS = """
SELECT DISTINCT ON (s.incident_id) s.incident_id, s.kind, s.body ->> 'text' AS text
FROM incident_steps s JOIN incidents i ON i.id = s.incident_id
WHERE NOT i.settled AND s.kind IN ('held', 'released', 'routed') ORDER BY s.incident_id, s.id DESC
"""
