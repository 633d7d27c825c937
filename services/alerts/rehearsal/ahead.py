"""What playing asks for, and what is read with it because it will be asked for soon. Pure."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Generator
from typing import Literal

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from services.alerts.rehearsal.minutes import MINUTE_MS, Minutes

READ_AHEAD_MS = 8 * MINUTE_MS
"""At most, of what follows on what is asked for; less where nothing of that was of use yet."""
READ_MINUTES = 400
"""That are asked for at a time, of those that matter."""
MOST_READ_MS = 12 * 60 * MINUTE_MS
"""That is asked for at a time, with what is before and after them: a second is a hundred bytes, twice."""


class Samples(Struct):
    """Raw samples of one instance, in order of time."""

    times: list[int] = []
    counts: list[int | None] = []
    others: list[int | None] = []
    """Of the second condition's metric; empty without one."""


Stretch = tuple[int, int]
"""From a time to before another one, Unix milliseconds."""


class Wanted(Struct, frozen=True):
    """What has to be read: samples of the instance, or the moments at which its host sampled anything."""

    what: Literal["samples", "pulses", "breath"]
    """`breath`: nothing, but others may have a turn, and whoever reads may look at the clock."""
    stretches: list[Stretch]
    """In order, and apart from each other; of pulses only one, of a breath none."""
    most: int = 0
    """Of pulses: the first so many will do."""


Reading = Generator[Wanted, Samples, None]


class _Held(Struct):
    """Samples that were read, and of which stretches they are all there are."""

    stretches: list[Stretch] = []
    samples: Samples = field(default_factory=Samples)

    def has(self, from_ms: int, to_ms: int) -> bool:
        at = bisect_right(self.stretches, (from_ms, sys.maxsize)) - 1
        return at >= 0 and to_ms <= self.stretches[at][1]

    def within(self, from_ms: int, to_ms: int) -> Samples:
        held = self.samples
        first, last = bisect_left(held.times, from_ms), bisect_left(held.times, to_ms)
        return Samples(held.times[first:last], held.counts[first:last], held.others[first:last])


class Buffer:
    """What was read ahead: minutes that matter, and those that follow on the last one asked for."""

    def __init__(self, minutes: Minutes, mattering_at: NDArray[np.int64], back_ms: int, on_ms: int) -> None:
        """`mattering_at`: the minutes that may be played; `back_ms`, `on_ms`: how much more before and after each."""
        self._minutes = minutes
        self._mattering_at = mattering_at
        self._back_ms, self._on_ms = back_ms, on_ms
        self._planned, self._near = _Held(), _Held()
        self._ahead_ms = 0
        self.samples_read = 0

    def read(self, from_ms: int, to_ms: int) -> Generator[Wanted, Samples, Samples]:
        """The samples of a stretch; what else will be wanted soon is read with it."""
        for held in (self._planned, self._near):
            if held.has(from_ms, to_ms):
                return held.within(from_ms, to_ms)
        if self._planned.stretches and to_ms < self._planned.stretches[-1][1]:
            follows = self._near.stretches and self._near.stretches[-1][1] == from_ms
            self._ahead_ms = min(READ_AHEAD_MS, max(MINUTE_MS, 2 * self._ahead_ms)) if follows else 0
            self._near = yield from self._fetch([(from_ms, min(self._minutes.to_ms, to_ms + self._ahead_ms))])
            return self._near.within(from_ms, to_ms)
        self._planned = yield from self._fetch(self._plan([(from_ms, to_ms)]))
        return self._planned.within(from_ms, to_ms)

    def _fetch(self, stretches: list[Stretch]) -> Generator[Wanted, Samples, _Held]:
        samples = yield Wanted("samples", stretches)
        self.samples_read += len(samples.times)
        return _Held(stretches, samples)

    def _plan(self, planned: list[Stretch]) -> list[Stretch]:
        """`planned`, and the next minutes that matter, each with what comes after it."""
        minutes = self._minutes
        from_ms, to_ms = planned[0]
        length_ms = to_ms - from_ms
        first = int(np.searchsorted(self._mattering_at, (to_ms - minutes.from_ms) // MINUTE_MS))
        for minute in self._mattering_at[first : first + READ_MINUTES].tolist():
            start_ms = minutes.from_ms + minute * MINUTE_MS
            begin_ms, end_ms = (
                max(from_ms, start_ms - self._back_ms),
                min(minutes.to_ms, start_ms + 2 * MINUTE_MS + self._on_ms),
            )
            if begin_ms <= planned[-1][1] + MINUTE_MS:
                begin_ms, before_ms = planned.pop()
                end_ms = max(before_ms, end_ms)
                length_ms -= before_ms - begin_ms
            planned.append((begin_ms, end_ms))
            length_ms += end_ms - begin_ms
            if length_ms > MOST_READ_MS:
                break
        return planned
