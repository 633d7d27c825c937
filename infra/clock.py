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


class SteadyClock:
    """Unix milliseconds that only go on: a step of the wall clock does not move them."""

    def __init__(self, least_ms: int = 0) -> None:
        """Begins with the wall clock, or with `least_ms` if that is later."""
        self._base_ns = max(time.time_ns(), least_ms * 1_000_000) - time.monotonic_ns()

    def ms(self) -> int:
        return (time.monotonic_ns() + self._base_ns) // 1_000_000

    def s(self) -> float:
        """The same in seconds."""
        return (time.monotonic_ns() + self._base_ns) / 1e9
