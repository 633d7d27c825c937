"""Sample times as they are judged: ascending for each host, whatever its clock does. Pure.

Each batch is new, as its number says, so a batch that begins before the end of the one before means that the host's
clock was set back, not that its samples are old. Such a host's samples are judged as following on, as far apart as they
were taken, until its clock has passed the point again. A clock that is ahead is no reason to judge nothing either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

STEP_MS = 1000
"""Between the last sample before a clock was set back and the first one after it."""
APART_MS = 300_000
"""A clock further ahead of the bus's than this is wrong: what happened is dated by the bus then."""


class Judged(Struct, frozen=True):
    """A batch's times."""

    times: list[int]
    """As they are judged."""
    shift_ms: int
    """What was added to the host's own times."""
    ahead_ms: int
    """How far the newest sample is ahead of the bus's clock; negative: behind."""

    def told_ms(self, judged_ms: int) -> int:
        """When that was, for people: by the host's clock, or by the bus's where the host's is wrong."""
        return judged_ms - self.shift_ms - (self.ahead_ms if self.ahead_ms > APART_MS else 0)


class Axis:
    """Where each host's judged time is."""

    def __init__(self, last_ms: Mapping[str, int] | None = None) -> None:
        """`last_ms`: the newest judged time of each host, as far as it is remembered."""
        self._last_ms = dict(last_ms or {})
        self._shift_ms: dict[str, int] = {}

    def judge(self, host: str, times: Sequence[int], arrived_ms: int) -> Judged:
        """The times of a new batch of `host`, which the bus stored at `arrived_ms`."""
        last_ms = self._last_ms.get(host, 0)
        shift_ms = 0 if times[0] > last_ms else self._shift_ms.get(host, 0)
        judged = []
        for time in times:
            if time + shift_ms <= last_ms:
                shift_ms = last_ms + STEP_MS - time
            last_ms = time + shift_ms
            judged.append(last_ms)
        self._last_ms[host] = last_ms
        if shift_ms:
            self._shift_ms[host] = shift_ms
        else:
            self._shift_ms.pop(host, None)
        return Judged(judged, shift_ms, times[-1] - arrived_ms)

    def follow(self, host: str, earlier: Axis) -> None:
        """Go on from where `earlier` is, which has read again what `host` sent before anything was judged here."""
        read_ms = earlier._last_ms[host]
        later_ms = max(0, self._last_ms.get(host, 0) - read_ms)
        self._last_ms[host] = read_ms + later_ms
        self._shift_ms[host] = earlier.shift_ms(host) + later_ms

    def shift_ms(self, host: str) -> int:
        """What is added to the host's own times now."""
        return self._shift_ms.get(host, 0)

    def forget(self, host: str) -> None:
        self._last_ms.pop(host, None)
        self._shift_ms.pop(host, None)
