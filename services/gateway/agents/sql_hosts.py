"""What the gateway asks of `hosts` when people tend them."""

# ruff: noqa: S608 -- statements are put together from constants
_GIVEN = """
id, state = 'archived' AS archived, last_sample, label, tags, note, version,
CASE WHEN muted_until = 'infinity' THEN -1 ELSE (extract(epoch FROM muted_until) * 1000)::bigint END AS muted_ms
"""

LOCK_HOST = f"SELECT {_GIVEN} FROM hosts WHERE name = $1 AND state <> 'removing' FOR UPDATE"

# $5 is in Unix milliseconds; null: not muted, -1: until that is ended.
TEND = f"""
UPDATE hosts SET label = $2, tags = $3, note = $4, version = version + 1,
    muted_until = CASE WHEN $5::bigint = -1 THEN 'infinity'::timestamptz ELSE to_timestamp($5::bigint / 1000.0) END
WHERE id = $1 RETURNING {_GIVEN}
"""

ADD_HOST = f"""
INSERT INTO hosts (name, label, tags) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING RETURNING {_GIVEN}
"""
