"""What the gateway asks of rules."""

from __future__ import annotations

RULES = "SELECT id, body, version FROM rules ORDER BY id"

RULE = "SELECT body, version FROM rules WHERE id = $1"

LOCK_RULE = f"{RULE} FOR UPDATE"

INSERT_RULE = "INSERT INTO rules (id, body) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING version"

UPDATE_RULE = """
UPDATE rules SET body = $2, version = version + 1, changed = now()
WHERE id = $1 AND ($3::integer IS NULL OR version = $3) RETURNING version
"""

DELETE_RULE = "DELETE FROM rules WHERE id = $1 AND ($2::integer IS NULL OR version = $2) RETURNING version"
