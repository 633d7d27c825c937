"""What the gateway and the command line ask of sessions and tokens."""

from __future__ import annotations

OPEN = """
INSERT INTO sessions (hash, user_id, created, seen, expires, address, user_agent) VALUES ($1, $2, $3, $3, $4, $5, $6)
RETURNING id
"""

# Beyond so many of one user the longest unused end.
END_SURPLUS = """
DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 ORDER BY seen DESC, id DESC OFFSET $2)
"""

_SESSION = """
SELECT s.id, s.hash, s.user_id, s.created, s.seen, s.expires, s.address, s.user_agent, u.name, u.role
FROM sessions s JOIN users u ON u.id = s.user_id
"""

SESSION = _SESSION + "WHERE s.hash = $1 AND NOT u.disabled"

SESSIONS = _SESSION + "WHERE ($1::integer IS NULL OR s.user_id = $1) ORDER BY s.seen DESC, s.id DESC LIMIT 1000"

SESSIONS_BY_ID = _SESSION + "WHERE s.id = ANY($1) AND NOT u.disabled"

SESSION_OF = "SELECT s.id, s.user_id, u.name FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1"

END = "DELETE FROM sessions WHERE id = $1 RETURNING id"

END_OF_USER = "DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2 RETURNING id"

SEEN = """
UPDATE sessions s SET seen = n.seen
FROM unnest($1::integer[], $2::timestamptz[]) AS n (id, seen) WHERE s.id = n.id AND s.seen < n.seen
"""

DROP_OLD = "DELETE FROM sessions WHERE expires < $1 OR seen < $2 OR created < $3"

_TOKEN_COLUMNS = """
SELECT t.id, t.hash, t.user_id, t.note, t.role, t.scopes, t.created, t.expires, t.last_used, t.last_address,
    coalesce(u.name, t.note) AS name, u.role AS user_role
"""

_TOKEN = _TOKEN_COLUMNS + "FROM api_tokens t LEFT JOIN users u ON u.id = t.user_id "

ADD_TOKEN = f"""
WITH added AS (
    INSERT INTO api_tokens (hash, user_id, note, role, scopes, expires) VALUES ($1, $2, $3, $4, $5, $6) RETURNING *
)
{_TOKEN_COLUMNS}
FROM added t LEFT JOIN users u ON u.id = t.user_id
"""

TOKEN = _TOKEN + "WHERE t.hash = $1 AND u.disabled IS NOT TRUE"

TOKENS_BY_ID = _TOKEN + "WHERE t.id = ANY($1) AND u.disabled IS NOT TRUE"

# Those lent to commands end by themselves within a minute.
TOKENS = (
    _TOKEN
    + """
WHERE t.user_id IS NOT NULL AND ($1::integer IS NULL OR t.user_id = $1) ORDER BY t.id DESC LIMIT 1000
"""
)

TOKEN_OF = _TOKEN + "WHERE t.id = $1 AND t.user_id IS NOT NULL"

TOKENS_OF_USER = "SELECT count(*) FROM api_tokens WHERE user_id = $1"

REVOKE_TOKEN = "DELETE FROM api_tokens WHERE id = $1"

USED = """
UPDATE api_tokens t SET last_used = n.used, last_address = n.address
FROM unnest($1::integer[], $2::timestamptz[], $3::text[]) AS n (id, used, address) WHERE t.id = n.id
"""

# Whoever looks for the reason finds an expired one in the list for a while.
DROP_OLD_TOKENS = """
DELETE FROM api_tokens WHERE expires < $1 AND (user_id IS NULL OR expires < $1 - interval '30 days')
"""
