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

# Of the newest only: the table keeps what was delivered for as long as the alerts.
NOTIFICATIONS = """
SELECT channel, count(*) FILTER (WHERE status = 'waiting') AS waiting,
       coalesce(extract(epoch FROM now() - min(made) FILTER (WHERE status = 'waiting')), 0)::float8 AS waiting_s,
       count(*) FILTER (WHERE status IN ('dead', 'expired') AND done > now() - interval '1 day') AS lost,
       (array_agg(status ORDER BY done DESC) FILTER (WHERE tried))[1] AS last_status,
       (array_agg(answer ORDER BY done DESC) FILTER (WHERE tried))[1] AS last_answer
FROM (
    SELECT *, status <> 'dropped' AND done > now() - interval '1 day' AS tried FROM outbox ORDER BY id DESC LIMIT 5000
) AS newest
WHERE channel <> 'bus'
GROUP BY channel ORDER BY channel
"""
