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

# The ends of its alerts go to the bus, and to people who were told of them; neither is waited for without end.
NEWS_WAITING = """
SELECT now() - r.asked < $2::text::interval AND (
    EXISTS (SELECT FROM alert_transitions t WHERE t.host_id = $1 AND NOT t.published)
    OR EXISTS (SELECT FROM incidents i WHERE i.host_id = $1 AND NOT i.settled))
FROM removals r WHERE r.host_id = $1
"""

# In portions, so that none holds its locks for long. With an incident go its steps, and what was told of it.
FORGET_TRANSITIONS = """
DELETE FROM alert_transitions WHERE id IN (SELECT id FROM alert_transitions WHERE host_id = $1 LIMIT 5000)
"""

FORGET_INCIDENTS = "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE host_id = $1 LIMIT 1000)"

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
