"""Unix milliseconds, in which samples are dated, and the datetimes that PostgreSQL takes and gives."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def now_ms() -> int:
    """This machine's wall clock."""
    return time.time_ns() // 1_000_000


def to_time(time_ms: int) -> datetime:
    """The same moment as a datetime in UTC."""
    return EPOCH + time_ms * _MS


def to_ms(moment: datetime) -> int:
    """The same moment in whole milliseconds."""
    return (moment - EPOCH) // _MS
