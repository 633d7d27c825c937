"""What ingest reads and writes besides COPY."""

# ruff: noqa: S608 -- the parts are all ours

from infra.storage.positions import MOVE_POSITION, raise_marks

HOSTS = "SELECT name, id FROM hosts WHERE state <> 'removing'"

INSTANCES = """
SELECT h.name AS host, i.family, i.name, i.id, i.labels FROM instances i JOIN hosts h ON h.id = i.host_id
WHERE h.state <> 'removing'
"""

UPSERT_INSTANCES = """
INSERT INTO instances (host_id, family, name, labels)
SELECT * FROM unnest($1::integer[], $2::text[], $3::text[], $4::jsonb[])
ON CONFLICT (host_id, family, name) DO UPDATE SET labels = excluded.labels
RETURNING host_id, family, name, id
"""

HOLD = """
SELECT (extract(epoch FROM before) * 1000)::bigint AS before_ms, generation,
       (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS database_ms
FROM horizons WHERE name = 'raw' FOR SHARE
"""
"""The lock makes whoever moves the horizon or forgets instances wait for the flush, and the flush see what he did."""

LOCK_WAIT = "SELECT set_config('lock_timeout', $1, true)"

REFUSE = """
INSERT INTO refusals (host_id, family, reason, rows, last)
SELECT *, now() FROM unnest($1::integer[], $2::text[], $3::text[], $4::bigint[])
ON CONFLICT (host_id, family, reason) DO UPDATE SET rows = refusals.rows + excluded.rows, last = excluded.last
"""

FINISH = f"""
WITH touched AS (
    UPDATE hosts SET last_sample = greatest(last_sample, seen.at)
    FROM unnest($5::integer[], $6::timestamptz[]) AS seen (id, at) WHERE hosts.id = seen.id
), accepted AS (
    {raise_marks(7)}
), dirtied AS (
    INSERT INTO dirty_minutes (host_id, slot)
    SELECT host_id, slot FROM unnest($11::integer[], $12::timestamptz[]) AS got (host_id, slot) ORDER BY host_id, slot
    ON CONFLICT (host_id, slot) DO UPDATE SET version = dirty_minutes.version + 1
)
{MOVE_POSITION}
"""
"""All small things of a flush at once: each round trip costs some milliseconds while a thread prepares the next flush.

A mark of dirty minutes that is there is written to all the same: the lock on its row keeps a roll-up that has read it
from deleting it under a flush that has not committed. Everybody locks these rows in the order of their key.
"""

RAW_DAYS = "SELECT value::text FROM settings WHERE key = 'raw_days'"

SLOWEST_POSITION = "SELECT min(seq) FROM positions WHERE stream = $1"
