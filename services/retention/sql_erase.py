"""What deleting a removed host takes. Names of relations are the engines'."""

# ruff: noqa: S608 -- see above

from __future__ import annotations

from infra.storage.engine import Part
from services.retention.sql_rollup import PLENTY

__all__ = ["PLENTY"]

REMOVALS = "SELECT host_id, name, parts, done FROM removals ORDER BY asked, host_id"

CLEAN_SLOTS = "DELETE FROM dirty_minutes WHERE host_id = $1"

CLEAN_HOURS = "DELETE FROM dirty_hours WHERE host_id = $1"

NOTE_PROGRESS = "UPDATE removals SET parts = $2, done = $3, rows = rows + $4 WHERE host_id = $1"

COUNT_ROWS = "UPDATE removals SET rows = rows + $2 WHERE host_id = $1"

ROWS = "SELECT rows FROM removals WHERE host_id = $1"

# What a mute held, for however long, is about to be told: the mute ended with the host.
NEWS_WAITING = """
SELECT EXISTS (SELECT FROM outbox o JOIN alert_transitions t ON t.id = o.transition_id
               JOIN removals r ON r.host_id = t.host_id
               WHERE t.host_id = $1 AND o.status IN ('waiting', 'muted')
                   AND CASE o.status WHEN 'muted' THEN r.asked ELSE o.made END > now() - $2::text::interval)
"""

# In portions, so that none holds its locks for long.
FORGET_TRANSITIONS = """
DELETE FROM alert_transitions WHERE id IN (SELECT id FROM alert_transitions WHERE host_id = $1 LIMIT 5000)
"""

FORGET_INSTANCES = "DELETE FROM instances WHERE id IN (SELECT id FROM instances WHERE host_id = $1 LIMIT 5000)"

# With it goes what refers to it: marks, refusals, agents' settings, its removal.
FORGET_HOST = "DELETE FROM hosts WHERE id = $1 AND state = 'removing'"


def some_rows(part: Part) -> str:
    """How many rows a part has of host $1, at most $2."""
    return f"SELECT count(*) FROM (SELECT FROM {part.relation} WHERE host_id = $1 LIMIT $2) AS found"


def delete_rows(part: Part) -> str:
    """Delete all rows that a part has of host $1."""
    return f"DELETE FROM {part.relation} WHERE host_id = $1"


def delete_slice(part: Part) -> str:
    """Delete those from $2 to before $3."""
    return f"DELETE FROM {part.relation} WHERE host_id = $1 AND time >= $2 AND time < $3"
