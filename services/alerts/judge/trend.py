"""In how long a metric reaches its limit if it goes on as it did: a straight line through a window's values. Pure.

The window is cut into `POINTS` stretches and of each the mean is kept, so that a day of seconds is no more to remember
than an hour. Least squares: what is far off the line counts, but a single jump does not make a trend.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from msgspec import Struct

POINTS = 60
LEAST_SHARE = 0.5
"""Of the window must have been seen before anything is said."""
NEVER_S = 10.0 * 366 * 86400
"""What stands for never: longer than any threshold asks."""


class _Stretch(Struct):
    start_ms: int
    count: int = 0
    total: float = 0

    @property
    def mean(self) -> float:
        return self.total / self.count


class Trend:
    """The means of one instance's last values."""

    def __init__(self, span_ms: int, gap_ms: int, goal: float) -> None:
        """`goal`: the value that is to be reached."""
        self._span_ms = span_ms
        self._step_ms = max(1, span_ms // POINTS)
        self._gap_ms = max(gap_ms, 2 * self._step_ms)
        self._goal = goal
        self._stretches: deque[_Stretch] = deque()
        self._last_ms = 0
        self._now_s: float | None = None

    @property
    def newest_ms(self) -> int:
        """Time of the last value that it holds; 0: none."""
        return self._last_ms

    def widen(self, gap_ms: int) -> None:
        """Where its host samples so seldom, nothing shorter is a gap."""
        self._gap_ms = max(self._gap_ms, gap_ms)

    def remember(self, time_ms: int, count: int, total: float) -> None:
        """Take in `count` values that add up to `total`, from about `time_ms`. In order, and before any is added."""
        if self._last_ms and time_ms - self._last_ms > self._gap_ms:
            self._stretches.clear()
        self._last_ms = time_ms
        start_ms = time_ms - time_ms % self._step_ms
        if not self._stretches or self._stretches[-1].start_ms < start_ms:
            self._stretches.append(_Stretch(start_ms))
        self._stretches[-1].count += count
        self._stretches[-1].total += total

    def add(self, times: Sequence[int], values: Sequence[float | None]) -> list[tuple[int, float | None]]:
        """The time left in seconds at each of `times`; None where nothing can be said.

        It is found anew with each stretch: in between the line hardly moves.
        """
        left: list[tuple[int, float | None]] = []
        for time_ms, value in zip(times, values, strict=True):
            if value is None:
                left.append((time_ms, None))
                continue
            if self._enter(time_ms, value) or self._now_s is None:
                self._now_s = self._left_s(time_ms, value)
            left.append((time_ms, self._now_s))
        return left

    def _enter(self, time_ms: int, value: float) -> bool:
        """Take in a value; whether a stretch was completed with the one before."""
        if self._last_ms and time_ms - self._last_ms > self._gap_ms:
            self._stretches.clear()
            self._now_s = None
        self._last_ms = time_ms
        start_ms = time_ms - time_ms % self._step_ms
        new = not self._stretches or self._stretches[-1].start_ms < start_ms
        if new:
            self._stretches.append(_Stretch(start_ms))
        while self._stretches[0].start_ms <= start_ms - self._span_ms:
            self._stretches.popleft()
        self._stretches[-1].count += 1
        self._stretches[-1].total += value
        return new

    def _left_s(self, time_ms: int, value: float) -> float | None:
        whole = list(self._stretches)[:-1]  # the last has just begun
        if len(whole) < 3 or time_ms - whole[0].start_ms < LEAST_SHARE * self._span_ms:
            return None
        middle = self._step_ms / 2
        xs = [(stretch.start_ms + middle - time_ms) / 1000 for stretch in whole]
        ys = [stretch.mean for stretch in whole]
        mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
        spread = math.fsum((x - mean_x) ** 2 for x in xs)
        slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
        passed = min(ys[0], value) <= self._goal <= max(ys[0], value)  # within the window, or just now
        if passed or slope == 0:
            return 0.0 if passed else NEVER_S
        left_s = (self._goal - value) / slope
        return min(NEVER_S, left_s) if left_s > 0 else NEVER_S
