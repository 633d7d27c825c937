"""What is old, what is cold, what is to come: decided from the clock and the settings alone. Whole UTC days only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ROOM_AHEAD = timedelta(days=2)
"""How far ahead there is a place for rows, so that a midnight, or two without us, needs nobody."""
COLD_AFTER = timedelta(days=1)
"""How long after its end a day may still get rows from agents that were cut off, and is left uncompressed."""


def midnight_before(now: datetime) -> datetime:
    """The start of `now`'s UTC day."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def cutoff(now: datetime, raw_days: int) -> datetime:
    """Days that end at or before this moment are dropped: `raw_days` whole days stay, and today."""
    return midnight_before(now) - timedelta(days=raw_days)


def cold_before(now: datetime) -> datetime:
    """Days that end at or before this moment are worth compressing."""
    return midnight_before(now) - COLD_AFTER


def room_until(now: datetime) -> datetime:
    """There should be a place for rows up to this moment."""
    return now + ROOM_AHEAD
