"""Whose turn it is: a lane that waits for a lock is left alone for a while, so that the other goes on."""

from __future__ import annotations

import time

from infra.bus.backoff import Backoff
from schemas.subjects import BACKFILL

FIRST_S = 4.0
LONGEST_S = 120.0
LOCK_WAIT_MS = {BACKFILL.name: 2000}
"""How long a flush of the lane waits for a lock. More than a drop of a table waits, which holds up everybody behind it.

That of live rows waits as long as the connection says: there is nothing better to do meanwhile.
"""


class LaneBlocked(Exception):
    """Somebody has a table of the past for himself: begin anew at the committed positions, without this lane."""


class Turns:
    """Which streams to leave alone, over all sessions of the service."""

    def __init__(self) -> None:
        self._until_s: dict[str, float] = {}
        self._waits: dict[str, Backoff] = {}

    def has(self, stream: str) -> bool:
        """Whether `stream` may be read now."""
        return time.monotonic() >= self._until_s.get(stream, 0.0)

    def blocked(self, stream: str) -> float:
        """Leave `stream` alone from now on; for how many seconds."""
        wait_s = self._waits.setdefault(stream, Backoff(FIRST_S, LONGEST_S)).next_s()
        self._until_s[stream] = time.monotonic() + wait_s
        return wait_s

    def written(self, stream: str) -> None:
        """A flush of `stream` was committed."""
        self._waits.pop(stream, None)
