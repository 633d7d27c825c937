"""What is old, what is cold, what is to come: decided from clocks and settings alone. Whole UTC days only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from schemas.settings import RuntimeSettings

ROOM_AHEAD = timedelta(days=2)
"""How far ahead there is a place for rows, so that a midnight, or two without us, needs nobody."""
COLD_AFTER = timedelta(days=1)
"""How long after its end a day may still get rows from agents that were cut off, and is left uncompressed."""
SILENCE = timedelta(days=1)
"""How much later than the newest sample it may be without a clock being suspected."""
CATCH_UP = timedelta(days=1)
"""How far the trusted time moves from one run to the next, so that a clock a month ahead costs a day an hour."""
GUARDED = timedelta(days=1)
"""How much before today's midnight the disk guard never drops: yesterday."""
RUNS_KEPT = timedelta(days=90)
"""How long the report of a run is kept."""


class Kept(Struct, frozen=True):
    """How many days of what are kept; never less of a roll-up than of what it replaces."""

    raw_days: int
    minute_days: int
    hour_days: int


def kept_days(settings: RuntimeSettings) -> Kept:
    """What `settings` say, where they contradict one another the longer: they may be older than the check of them."""
    minute_days = max(settings.minute_days, settings.raw_days)
    return Kept(settings.raw_days, minute_days, max(settings.hour_days, minute_days))


def trusted_now(
    own: datetime, database: datetime, newest_sample: datetime | None, previous: datetime | None
) -> datetime:
    """The latest moment that no clock contradicts: what is dropped because a clock is ahead does not come back.

    `previous` is what the run before this one trusted. A clock set back is believed: less is dropped then.
    """
    limits = [own, database]
    if newest_sample is not None:
        limits.append(newest_sample + SILENCE)
    if previous is not None:
        limits.append(previous + CATCH_UP)
    return min(limits)


def midnight_before(now: datetime) -> datetime:
    """The start of `now`'s UTC day."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def cutoff(now: datetime, days: int) -> datetime:
    """Parts that end at or before this moment are dropped: `days` whole days stay, and today."""
    return midnight_before(now) - timedelta(days=days)


def cold_before(now: datetime) -> datetime:
    """Days that end at or before this moment are worth compressing."""
    return midnight_before(now) - COLD_AFTER


def room_until(now: datetime) -> datetime:
    """There should be a place for rows up to this moment."""
    return now + ROOM_AHEAD


def guard_limit(now: datetime) -> datetime:
    """The disk guard moves the raw horizon no further than this: yesterday and today stay."""
    return midnight_before(now) - GUARDED


def droppable_before(horizon: datetime, oldest_mark: datetime | None) -> datetime:
    """Raw parts that end at or before this moment may go: below the horizon, and nothing there awaits its roll-up."""
    return horizon if oldest_mark is None else min(horizon, midnight_before(oldest_mark))
