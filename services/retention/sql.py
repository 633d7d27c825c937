"""What retention reads and writes besides the engine's tables."""

from __future__ import annotations

from collections.abc import Sequence

from infra.storage.engine import Table
from infra.storage.engines.tables import quoted

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

SETTINGS = "SELECT key, value FROM settings WHERE key = ANY($1) ORDER BY key"

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

OLDEST_DIRTY = """
SELECT least((SELECT min(slot) FROM dirty_minutes), (SELECT min(hour) FROM dirty_hours))
"""

NOTE_RUN = "INSERT INTO retention_runs (started, seconds, dropped, bytes, report) VALUES ($1, $2, $3, $4, $5)"

NOTE_USE = """
INSERT INTO storage_use (at, body) VALUES ($1, $2)
ON CONFLICT (single) DO UPDATE SET at = excluded.at, body = excluded.body
"""

LAST_RUN = "SELECT max(started) FROM retention_runs"

# No stream has a message of before any more.
FORGET_REMOVED = "DELETE FROM removed_hosts WHERE time_ns < extract(epoch FROM $1::timestamptz) * 1e9"

FORGET_RUNS = "DELETE FROM retention_runs WHERE started < $1"

# In portions, so that none holds its locks for long.
FORGET_TRANSITIONS = """
DELETE FROM alert_transitions WHERE id IN (SELECT id FROM alert_transitions WHERE time < $1 ORDER BY time LIMIT 5000)
"""

# What is over; with an incident go its transitions, its steps, and what was told of it.
FORGET_INCIDENTS = """
DELETE FROM incidents WHERE id IN (
    SELECT id FROM incidents WHERE opened < $1 AND closed < $1 ORDER BY opened, id LIMIT 1000)
"""

FORGET_NOTIFICATIONS = """
DELETE FROM notifications WHERE id IN (SELECT id FROM notifications WHERE made < $1 ORDER BY made LIMIT 1000)
"""

FORGET_SILENCES = """
DELETE FROM silences WHERE id IN (SELECT id FROM silences WHERE ends < $1 ORDER BY ends LIMIT 1000)
"""

FORGET_EVENTS = """
DELETE FROM host_events WHERE id IN (SELECT id FROM host_events WHERE time < $1 ORDER BY time LIMIT 1000)
"""

# As of MOVE_HORIZON: waits for the flushes under way, and those after it wait for the transaction.
NEXT_GENERATION = "UPDATE horizons SET generation = generation + 1 WHERE name = 'raw'"

COUNT_SLOTS = "SELECT count(*) FROM dirty_minutes WHERE slot <= $1"

COUNT_HOURS = "SELECT count(*) FROM dirty_hours WHERE hour <= $1"

NEWEST_SAMPLE = "SELECT max(last_sample) FROM hosts"

OLDEST_OF_HOSTS = """
SELECT min(oldest.time) FROM (SELECT id FROM hosts ORDER BY first_seen LIMIT 20) AS h
CROSS JOIN LATERAL (SELECT t.time FROM {table} t WHERE t.host_id = h.id ORDER BY t.time LIMIT 1) AS oldest
"""

# By their columns and the index that the engines make; partitions are not meant, nor chunks, which are elsewhere.
LIKE_OURS = """
SELECT c.relname AS name FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('p', 'r') AND NOT c.relispartition
  AND c.relname <> ALL($1::text[])
  AND EXISTS (SELECT FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
              WHERE x.indrelid = c.oid AND i.relname = c.relname || '_key')
  AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnotnull
       AND (a.attname, a.atttypid) IN (('time', 'timestamptz'::regtype), ('host_id', 'int4'::regtype))) = 2
"""


def without_rows(tables: Sequence[Table]) -> str:
    """FROM and WHERE of the instances i of family $1, those of $2 unless null, that have a row in none of `tables`.

    A subquery with a limit is asked per instance, by the index; a join would read all of the tables.
    """
    row = "(SELECT 1 FROM {} t WHERE t.host_id = i.host_id AND t.instance_id = i.id LIMIT 1)"
    rows = ", ".join(row.format(quoted(table.name)) for table in tables)
    return f"""
        FROM instances i WHERE i.family = $1 AND ($2::int[] IS NULL OR i.id = ANY($2)) AND coalesce({rows}) IS NULL
    """
