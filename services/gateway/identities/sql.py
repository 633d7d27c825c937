"""What the gateway asks of the tables of tokens, identities and revocations."""

# ruff: noqa: S105 -- names with "token" in them hold no secret; statements are put together from constants

_TOKEN = """
SELECT t.*, h.name AS host, h.state AS host_state, now() AS asked
FROM enrolment_tokens t LEFT JOIN hosts h ON h.id = t.host_id
"""

TOKENS = f"{_TOKEN} WHERE $2::bigint IS NULL OR t.id < $2 ORDER BY t.id DESC LIMIT $1"

TOKEN = f"{_TOKEN} WHERE t.id = $1"

TOKEN_HOSTS = """
SELECT token_id, host FROM (
    SELECT token_id, host, row_number() OVER (PARTITION BY token_id ORDER BY enrolled, host) AS number
    FROM identities WHERE token_id = ANY($1::integer[])
) numbered WHERE number <= $2 ORDER BY token_id, number
"""

ADD_TOKEN = """
INSERT INTO enrolment_tokens (hash, note, uses, expires, tags, name_pattern, host_id)
VALUES ($1, $2, $3, now() + $4 * interval '1 second', $5, $6, $7) RETURNING id
"""

# What is withdrawn stays in the list: it says who enrolled with it.
WITHDRAW = "UPDATE enrolment_tokens SET withdrawn = coalesce(withdrawn, now()) WHERE id = $1 RETURNING id"

# Whoever enrols with a token waits for whoever is at it, and then sees how often it was used.
LOCK_TOKEN = f"{_TOKEN} WHERE t.hash = $1 FOR UPDATE OF t"

USE_TOKEN = "UPDATE enrolment_tokens SET used = used + 1 WHERE id = $1 AND used < uses RETURNING used"

LOCK_IDENTITY = """
SELECT i.*, h.state AS host_state, h.last_sample, r.at AS revoked_at, now() AS asked
FROM identities i LEFT JOIN hosts h ON h.id = i.host_id LEFT JOIN revocations r USING (public_key)
WHERE i.public_key = $1 FOR UPDATE OF i
"""

IS_REVOKED = "SELECT EXISTS (SELECT FROM revocations WHERE public_key = $1)"

# An older JWT may last longer than a new one, when the setting was lowered meanwhile.
ISSUE = """
UPDATE identities SET issued = to_timestamp($2), expires = greatest(expires, to_timestamp($3)) WHERE public_key = $1
"""

LOCK_HOST = "SELECT id, name, state FROM hosts WHERE id = $1 FOR UPDATE"

NAMES_LIKE = "SELECT name FROM hosts WHERE starts_with(name, $1)"

ADD_HOST = "INSERT INTO hosts (name, tags) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING id"

REJOIN_HOST = """
UPDATE hosts SET state = 'active', version = version + 1, tags = ARRAY(
    SELECT tag FROM unnest(tags || $2::text[]) WITH ORDINALITY AS given (tag, number) GROUP BY tag ORDER BY min(number)
) WHERE id = $1
"""

PRESENT_KEYS = "SELECT public_key FROM identities WHERE host_id = $1 AND revoked IS NULL"

ADD_IDENTITY = """
INSERT INTO identities (public_key, host_id, host, token_id, issued, expires)
VALUES ($1, $2, $3, $4, to_timestamp($5), to_timestamp($6))
"""

# Dated no earlier than the newest JWT of the key: servers refuse what was issued until then.
REVOKE = """
INSERT INTO revocations AS r (public_key, at, reason)
SELECT key, greatest(now(), i.issued), $2 FROM unnest($1::text[]) AS key LEFT JOIN identities i ON i.public_key = key
ON CONFLICT (public_key) DO UPDATE
    SET at = greatest(r.at, excluded.at), reason = excluded.reason, pushed = NULL
"""

MARK_REVOKED = """
UPDATE identities SET revoked = now(), reason = $2 WHERE public_key = ANY($1::text[]) AND revoked IS NULL
"""

HOST_IDENTITY = """
SELECT i.* FROM identities i JOIN hosts h ON h.id = i.host_id WHERE h.name = $1
ORDER BY i.revoked IS NULL DESC, i.enrolled DESC LIMIT 1
"""

# $1 is a host, or the public key of an identity.
SUSPEND = """
UPDATE identities SET suspended = now() + $2 * interval '1 second'
WHERE (host = $1 OR public_key = $1) AND revoked IS NULL AND (suspended IS NULL OR suspended < now())
RETURNING public_key, host
"""

NOTE_CLONE = "UPDATE identities SET cloned = now() WHERE host = $1 AND revoked IS NULL"
