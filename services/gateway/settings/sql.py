"""What the gateway asks of the runtime settings."""

from __future__ import annotations

SETTINGS = "SELECT key, value, version FROM settings"

SETTING = "SELECT value FROM settings WHERE key = $1"

# Two changes at once, each fine beside the value that the other is about to replace, wait for one another here.
LOCK_SETTINGS = "LOCK TABLE settings IN SHARE ROW EXCLUSIVE MODE"

# $3 is the version that must be there: null for any, 0 for none yet.
PUT_SETTING = """
INSERT INTO settings AS s (key, value) SELECT $1, $2::jsonb WHERE coalesce($3::integer, 0) = 0 OR EXISTS
    (SELECT FROM settings WHERE key = $1 AND version = $3)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = s.version + 1, changed = now()
WHERE $3::integer IS NULL OR s.version = $3
RETURNING version
"""
