"""What is old, what is cold, what is to come: decided from clocks and settings alone. Whole UTC days only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec.structs import fields

from infra.storage.engines.tables import Kind
from schemas.rules import InvalidField
from schemas.settings import RuntimeSettings, parse_stored
from schemas.storage import Kept

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


OWN = (*(field.name for field in fields(Kept)), "disk_free_percent", "database_gib")
"""The runtime settings that a pruning follows."""


class InvalidSetting(Exception):
    """A stored setting of ours makes no sense, so nobody knows what may be dropped; the text says which."""


def settings_of(stored: Mapping[str, str]) -> RuntimeSettings:
    """Our settings from what is stored of `OWN`, as JSON; all others as they are by default. Raises InvalidSetting."""
    values = {}
    problems = []
    for key, text in stored.items():
        try:
            values[key] = parse_stored(key, text)
        except InvalidField as error:
            problems.append(f"{key} is stored as {text[:100]}: it {error.remedy}")
    if problems:
        raise InvalidSetting(f"{'; '.join(problems)}; store another value, or none for the default")
    return RuntimeSettings(**values)


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


def horizons(now: datetime, kept: Kept, raw: datetime) -> dict[Kind, datetime]:
    """Kind of table -> rows before this moment go; the horizon of raw rows is at `raw` already and never goes back."""
    return {
        "raw": max(cutoff(now, kept.raw_days), raw),
        "minute": cutoff(now, kept.minute_days),
        "hour": cutoff(now, kept.hour_days),
    }


def cold_before(now: datetime) -> datetime:
    """Days that end at or before this moment are worth compressing."""
    return midnight_before(now) - COLD_AFTER


def room_until(now: datetime) -> datetime:
    """There should be a place for rows up to this moment."""
    return now + ROOM_AHEAD


def guard_limit(now: datetime) -> datetime:
    """The disk guard moves the raw horizon no further than this: yesterday and today stay."""
    return midnight_before(now) - GUARDED


def droppable_before(horizon: datetime, oldest_dirty: datetime | None) -> datetime:
    """Raw parts that end at or before this moment may go: below the horizon, and nothing there awaits its roll-up."""
    return horizon if oldest_dirty is None else min(horizon, midnight_before(oldest_dirty))
