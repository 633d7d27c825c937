"""What a demonstration writes by itself: its hosts and identities, and what turns samples into history."""

ADD_HOSTS = """
UPDATE hosts SET facts = given.facts, tags = string_to_array(given.tags, ','), first_seen = $4
FROM unnest($1::integer[], $2::jsonb[], $3::text[]) AS given (id, facts, tags)
WHERE hosts.id = given.id
"""

ADD_IDENTITIES = """
INSERT INTO identities (public_key, host_id, host, issued, expires)
SELECT public_key, h.id, h.name, to_timestamp($3), to_timestamp($4)
FROM unnest($1::text[], $2::text[]) AS given (public_key, host) JOIN hosts h ON h.name = given.host
"""

ADD_INSTANCES = """
INSERT INTO instances (host_id, family, name, labels)
SELECT * FROM unnest($1::integer[], $2::text[], $3::text[], $4::jsonb[])
RETURNING host_id, family, name, id
"""

MARK = """
INSERT INTO dirty_minutes (host_id, slot)
SELECT host, slot FROM unnest($1::integer[]) AS host,
    generate_series(date_bin('10 min', $2::timestamptz, '1970-01-01Z'), $3::timestamptz, interval '10 min') AS slot
ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""

RAW_FROM = "UPDATE horizons SET before = $1 WHERE name = 'raw'"

NEWEST = """
UPDATE hosts SET last_sample = given.at FROM unnest($1::integer[], $2::timestamptz[]) AS given (id, at)
WHERE hosts.id = given.id
"""

NOTICED_THEN = "UPDATE incidents SET noticed = coalesce(closed, opened), settled = closed IS NOT NULL"

ADD_EVENTS = """
INSERT INTO host_events (host_id, time, ended, kind, key, body)
SELECT * FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::text[], $6::jsonb[])
"""

TENDED = """
UPDATE hosts SET note = given.note, muted_until = CASE WHEN given.muted THEN 'infinity'::timestamptz END
FROM unnest($1::integer[], $2::text[], $3::boolean[]) AS given (id, note, muted) WHERE hosts.id = given.id
"""
