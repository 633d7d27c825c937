"""What the tables say of Sonde's health."""

from __future__ import annotations

INGEST_POSITION = "SELECT seq, time_ns FROM positions WHERE consumer = 'ingest' AND stream = $1"

NEWEST_SAMPLE = "SELECT max(last_sample) FROM hosts"

# Slots end after ten minutes, and are left to agents for a while.
RETENTION = """
SELECT extract(epoch FROM now() - started)::float8 AS pruned_s, coalesce(report ->> 'guard', '') AS guard,
       (SELECT count(*) FROM dirty_minutes WHERE slot < now() - interval '12 min') AS due_slots,
       (SELECT count(*) FROM hosts) AS hosts
FROM (VALUES (1)) AS one LEFT JOIN (SELECT started, report FROM retention_runs ORDER BY id DESC LIMIT 1) AS run ON true
"""

# Channels that are on, with what came of the newest messages. One that fails has done so since the last that it took.
NOTIFICATIONS = """
WITH newest AS (
    SELECT * FROM notifications WHERE made > now() - interval '1 day' ORDER BY made DESC LIMIT 5000
)
SELECT c.id AS channel, coalesce(s.held_reason, '') AS held, coalesce(s.failures, 0) AS failures,
       count(n.id) FILTER (WHERE n.status = 'refused') AS lost,
       (array_agg(n.status ORDER BY n.id DESC) FILTER (WHERE n.status <> 'sending'))[1] AS last_status,
       (array_agg(n.answer ORDER BY n.id DESC) FILTER (WHERE n.status <> 'sending'))[1] AS last_answer,
       coalesce(extract(epoch FROM now() - coalesce(
           max(n.done) FILTER (WHERE n.status = 'sent'), min(n.made))), 0)::float8 AS since_s
FROM channels c LEFT JOIN channel_states s ON s.channel = c.id LEFT JOIN newest n ON n.channel = c.id
WHERE c.body -> 'enabled' IS DISTINCT FROM 'false'::jsonb
GROUP BY c.id, s.held_reason, s.failures ORDER BY c.id
"""

STORAGE = "SELECT at, body FROM storage_use"
