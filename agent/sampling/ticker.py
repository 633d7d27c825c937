"""The sampling clock: ticks on the wall clock's grid, paced by the monotonic clock.

Each instant of the wall clock's grid gets at most one sample. The first is at least a quarter of an interval after the
start: its rates are taken over that time. After a step of the wall clock the next tick falls on the grid instant
nearest to one interval after the last tick, so ticks are never closer than half an interval for that reason; instants
that a small step back repeats are not sampled again. After a step back of more than `HOLD_S` the clock was plainly
wrong before, and sampling goes on at the times it shows now.

Paced by the monotonic clock, ticks do not care about suspend: on Linux and macOS this clock stands still meanwhile, as
the system's counters do, so that the first sample after it is one interval of waking time behind the last, with true
rates, under the time that the wall clock shows then. A clock that goes on meanwhile, as on Windows, makes it a tick
that was overslept.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

HOLD_S = 60.0
"""Longest step back of the wall clock that is waited out."""
LOOK_EVERY_S = 5.0
"""Longest sleep at a time: a changed interval is followed after this, and a watchdog told that all is well."""


class Tick(NamedTuple):
    """One sampling instant."""

    time_ms: int
    """Grid instant on the wall clock, Unix milliseconds."""
    monotonic_s: float
    """When it began."""
    skipped: int
    """Ticks since the last one that were due and missed."""


def next_target(not_before_s: float, offset_s: float, interval_s: float) -> float:
    """First grid instant at or after `not_before_s`, in monotonic time; `offset_s` is wall minus monotonic."""
    return math.ceil((not_before_s + offset_s) / interval_s) * interval_s - offset_s


def grid_number(target_s: float, offset_s: float, interval_s: float) -> int:
    """Number of the grid instant nearest to the monotonic `target_s`."""
    return round((target_s + offset_s) / interval_s)


class Ticker:
    """Yields one `Tick` per interval. The clocks are arguments, for tests."""

    def __init__(
        self,
        interval_s: float,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        """`waiting` is called at least every `LOOK_EVERY_S`, also while no instant may be sampled."""
        self.interval_s = interval_s
        """Seconds between two ticks; may be changed at any time, also while `next` waits."""
        self._monotonic = monotonic
        self._wall = wall
        self._sleep = sleep
        self._waiting = waiting
        self._paced_s = interval_s
        self._target_s: float | None = None
        self._last_ms: int | None = None

    async def next(self) -> Tick:
        """Wait for the next instant to sample at."""
        skipped = 0
        while True:
            interval = self.interval_s
            target, missed = self._aim(interval)
            if not await self._reach(target):
                continue
            now = self._monotonic()
            overslept = math.floor(max(0.0, now - target) / interval)
            skipped += missed + overslept
            target += overslept * interval
            self._target_s, self._paced_s = target, interval
            time_ms = round(grid_number(target, self._wall() - now, interval) * interval * 1000)
            if not self._repeats(time_ms):
                self._last_ms = time_ms
                return Tick(time_ms, now, skipped)

    def _aim(self, interval: float) -> tuple[float, int]:
        """When the next tick is to be, in monotonic time, and how many before it are missed."""
        now = self._monotonic()
        offset = self._wall() - now
        if self._target_s is None:  # counters were read just before: what they move in an instant gives no rate
            return next_target(now + interval / 4, offset, interval), 0
        due = self._target_s + interval
        if interval != self._paced_s:
            due = max(due, now)  # at the new pace nothing was due before
        # A tick that would follow the last one's end by less than a quarter is bunched with it: skip it.
        target = next_target(max(due - interval / 2, now + interval / 4), offset, interval)
        return target, max(0, round((target - due) / interval)) if interval == self._paced_s else 0

    async def _reach(self, target_s: float) -> bool:
        """Sleep until then; False when the interval was changed before: a tick that has come is not given up for it."""
        interval = self.interval_s
        while True:
            left = target_s - self._monotonic()
            await self._sleep(min(LOOK_EVERY_S, max(0.0, left)))
            self._waiting()
            if left <= LOOK_EVERY_S:
                return True
            if self.interval_s != interval:
                return False

    def _repeats(self, time_ms: int) -> bool:
        """True for an instant that was sampled before a small step back of the wall clock."""
        return self._last_ms is not None and 0 <= self._last_ms - time_ms <= HOLD_S * 1000
