"""What the gateway asks of saved views and preferences; each belongs to a user."""

from __future__ import annotations

_VIEW = "id, name, path, version"

VIEWS = f"SELECT {_VIEW} FROM views WHERE user_id = $1 ORDER BY position, id"

# Until the transaction ends: of two that come at once, the second finds what the first has left.
LOCK_OWNER = "SELECT true FROM users WHERE id = $1 AND NOT disabled FOR NO KEY UPDATE"

COUNT_VIEWS = "SELECT count(*) FROM views WHERE user_id = $1"

ADD_VIEW = f"""
INSERT INTO views (user_id, name, path, position)
VALUES ($1, $2, $3, (SELECT coalesce(max(position), 0) + 1 FROM views WHERE user_id = $1))
ON CONFLICT (user_id, name) DO NOTHING RETURNING {_VIEW}
"""

VIEW = f"SELECT {_VIEW} FROM views WHERE user_id = $1 AND id = $2"

LOCK_VIEW = f"{VIEW} FOR UPDATE"

NAMED = "SELECT EXISTS (SELECT FROM views WHERE user_id = $1 AND name = $2 AND id <> $3)"

CHANGE_VIEW = f"""
UPDATE views SET name = $2, path = $3, version = version + 1, changed = now() WHERE id = $1 RETURNING {_VIEW}
"""

DELETE_VIEW = "DELETE FROM views WHERE id = $1"

ORDER_VIEWS = """
UPDATE views v SET position = wanted.position
FROM unnest($2::integer[]) WITH ORDINALITY AS wanted (id, position) WHERE v.user_id = $1 AND v.id = wanted.id
"""

PREFERENCES = "SELECT body, version FROM preferences WHERE user_id = $1"

# $3 is the version that must be there: null for any, 0 for none yet.
PUT_PREFERENCES = """
INSERT INTO preferences AS p (user_id, body) SELECT $1::integer, $2::jsonb WHERE coalesce($3::integer, 0) = 0
    OR EXISTS (SELECT FROM preferences WHERE user_id = $1 AND version = $3)
ON CONFLICT (user_id) DO UPDATE SET body = excluded.body, version = p.version + 1, changed = now()
WHERE $3::integer IS NULL OR p.version = $3
RETURNING version
"""
