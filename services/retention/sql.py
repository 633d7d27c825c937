"""What retention reads and writes besides the engine's tables."""

LOCK = "sonde retention"

TRY_LOCK = "SELECT pg_try_advisory_lock(hashtext('sonde retention'))"

UNLOCK = "SELECT pg_advisory_unlock(hashtext('sonde retention'))"

# An advisory lock of 64 bits is shown in two halves.
AT_WORK = """
SELECT a.application_name AS name, host(a.client_addr) AS address, a.pid, a.backend_start AS since
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND a.datname = current_database()
  AND (l.classid::bigint << 32) | l.objid::bigint = hashtext('sonde retention')::bigint AND l.pid <> pg_backend_pid()
"""

SETTINGS = "SELECT key, value FROM settings"

CLOCKS = """
SELECT clock_timestamp() AS database, (SELECT max(last_sample) FROM hosts) AS newest_sample,
       (SELECT max((report ->> 'now')::timestamptz) FROM retention_runs) AS previous
"""

HORIZON = "SELECT before FROM horizons WHERE name = 'raw'"

# Of raw rows it waits for the flushes under way, which hold the row. It never goes back.
MOVE_HORIZON = """
INSERT INTO horizons (name, before) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET before = excluded.before WHERE horizons.before < excluded.before
"""

OLDEST_MARK = """
SELECT least((SELECT min(slot) FROM dirty_minutes), (SELECT min(hour) FROM dirty_hours))
"""

NOTE_RUN = "INSERT INTO retention_runs (started, seconds, dropped, bytes, report) VALUES ($1, $2, $3, $4, $5)"

LAST_RUN = "SELECT max(started) FROM retention_runs"

FORGET_RUNS = "DELETE FROM retention_runs WHERE started < $1"

# In portions, so that none holds its locks for long; what was to be delivered of them goes with them.
FORGET_TRANSITIONS = """
DELETE FROM alert_transitions WHERE id IN (SELECT id FROM alert_transitions WHERE time < $1 ORDER BY time LIMIT 5000)
"""

COUNT_SLOTS = "SELECT count(*) FROM dirty_minutes WHERE slot <= $1"

COUNT_HOURS = "SELECT count(*) FROM dirty_hours WHERE hour <= $1"

NEWEST_SAMPLE = "SELECT max(last_sample) FROM hosts"

OLDEST_OF_HOSTS = """
SELECT min(oldest.time) FROM (SELECT id FROM hosts ORDER BY first_seen LIMIT 20) AS h
CROSS JOIN LATERAL (SELECT t.time FROM {table} t WHERE t.host_id = h.id ORDER BY t.time LIMIT 1) AS oldest
"""
