"""Functions of the last values of an instance: mean, extremes, percentile, change over a window of sample time. Pure.

Columns are kept as they travel and decoded only when a value in the window could matter, so a rule about a window costs
little more than one about the last value while all is well. A window counts once it is full: what began a moment ago
has no mean of five minutes. A silence begins it anew.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Protocol

from msgspec import Struct

from schemas.columns import Column, pack_column, unpack_column
from schemas.rules import Function

MOST_SEGMENTS = 4000
"""Of one window: an agent that sends a batch a second fills an hour with fewer."""

Point = tuple[int, float]
"""Sample time in milliseconds, and value."""


Bounds = tuple[int, int]
"""Counts between which all of a column lie."""


class Segment(Struct, frozen=True):
    """One batch's column."""

    times: list[int]
    """Of its rows, as they are judged."""
    column: Column
    bounds: Bounds | None
    """None: it has nulls only."""


class SlidingWindow:
    """The last values of one instance, as long as the rule's window and one batch more."""

    def __init__(self, function: Function, span_ms: int, gap_ms: int, counter: bool) -> None:
        self._function: Function = function
        self._span_ms = span_ms
        self._gap_ms = gap_ms
        self._counter = counter
        self._segments: deque[Segment] = deque()
        self._before: tuple[int, int] | None = None
        """Of changes: time and count of the last value before the segments."""

    @property
    def newest_ms(self) -> int:
        """Time of the last row that it holds; 0: none."""
        return self._segments[-1].times[-1] if self._segments else 0

    def add(self, times: list[int], column: Column) -> Bounds | None:
        """Take in the column of the next batch, which has a row; the bounds of all counts in the window then."""
        if self._segments and times[0] - self._segments[-1].times[-1] > self._gap_ms:
            self._segments.clear()
            self._before = None
        self._segments.append(Segment(times, column, _bounds(column, len(times))))
        while len(self._segments) > 1 and (
            self._segments[1].times[0] <= times[0] - self._span_ms or len(self._segments) > MOST_SEGMENTS
        ):
            self._drop(self._segments.popleft())
        known = [segment.bounds for segment in self._segments if segment.bounds is not None]
        if self._before is not None:
            known.append((self._before[1], self._before[1]))
        return (min(low for low, _ in known), max(high for _, high in known)) if known else None

    def empty(self) -> SlidingWindow:
        """Another one alike, which holds nothing."""
        return SlidingWindow(self._function, self._span_ms, self._gap_ms, self._counter)

    def precede(self, earlier: SlidingWindow, later_ms: int) -> None:
        """Put what `earlier` holds before what this one does; its times count as so much later.

        Not if this one is full by itself, nor where there is a gap between them.
        """
        if not earlier._segments:
            return
        if self._segments:
            first_ms = self._segments[0].times[0]
            between_ms = first_ms - earlier.newest_ms - later_ms
            if not 0 < between_ms <= self._gap_ms or self.newest_ms - first_ms >= self._span_ms:
                return
        for segment in reversed(earlier._segments):
            times = [time_ms + later_ms for time_ms in segment.times] if later_ms else segment.times
            self._segments.appendleft(Segment(times, segment.column, segment.bounds))
        if earlier._before is not None:
            self._before = earlier._before[0] + later_ms, earlier._before[1]

    def _drop(self, segment: Segment) -> None:
        """Remember of a segment that is too old what a change is measured from."""
        if self._function in ("rate", "increase") and segment.bounds is not None:
            counts = unpack_column(segment.column, len(segment.times))
            known = [
                (time_ms, count) for time_ms, count in zip(segment.times, counts, strict=True) if count is not None
            ]
            self._before = known[-1] if known else self._before

    def values(self, value: Callable[[int | None], float | None]) -> list[tuple[int, float | None]]:
        """The function at each time of the newest batch; None where it has no value. `value` makes one of a count."""
        points = [
            (time_ms, known)
            for segment in self._segments
            for time_ms, count in zip(segment.times, unpack_column(segment.column, len(segment.times)), strict=True)
            if (known := value(count)) is not None
        ]
        if self._before is not None and (known := value(self._before[1])) is not None:
            points.insert(0, (self._before[0], known))
        newest = self._segments[-1].times
        begun_ms = self._segments[0].times[0]
        found = dict(over(self._function, points, self._span_ms, begun_ms, newest[0], self._counter))
        return [(time_ms, found.get(time_ms)) for time_ms in newest]


def _bounds(column: Column, rows: int) -> Bounds | None:
    """Least and greatest count: decoded once, as a column's own bounds are too wide to keep a window quiet."""
    if not isinstance(column, bytes):
        return None if column is None else (column, column)
    known = [count for count in unpack_column(column, rows) if count is not None]
    return (min(known), max(known)) if known else None


def runs(times: list[int], column: Column, gap_ms: int) -> Iterator[tuple[list[int], Column]]:
    """`column` cut where its rows are further apart than `gap_ms`: usually nowhere."""
    if times[-1] - times[0] <= gap_ms:
        yield times, column
        return
    counts = unpack_column(column, len(times))
    first = 0
    for row in range(1, len(times) + 1):
        if row == len(times) or times[row] - times[row - 1] > gap_ms:
            yield times[first:row], pack_column(counts[first:row])
            first = row


def over(
    function: Function, points: list[Point], span_ms: int, begun_ms: int, from_ms: int, counter: bool
) -> Iterator[Point]:
    """`function` of those of `points` within (t - span, t], for each time t of a point from `from_ms` on.

    Nothing until a window is full. `begun_ms`: since when there has been no gap. A change is measured from the last
    value before the window.
    """
    state = _kept(function, counter)
    first = 0
    for time_ms, value in points:
        state.enter(time_ms, value)
        while points[first][0] <= time_ms - span_ms:
            state.leave(*points[first])
            first += 1
        if time_ms >= from_ms and time_ms - begun_ms >= span_ms:
            now = state.value()
            if now is not None:
                yield time_ms, now


class _Kept(Protocol):
    """What a function remembers of the values in its window."""

    def enter(self, time_ms: int, value: float, /) -> None: ...
    def leave(self, time_ms: int, value: float, /) -> None: ...
    def value(self) -> float | None: ...


def _kept(function: Function, counter: bool) -> _Kept:
    match function:
        case "avg":
            return _Mean()
        case "min" | "max":
            return _Extreme(function)
        case "p95":
            return _Percentile()
        case _:
            return _Change(function, counter)


class _Mean:
    def __init__(self) -> None:
        self._values: deque[float] = deque()

    def enter(self, _: int, value: float) -> None:
        self._values.append(value)

    def leave(self, _: int, __: float) -> None:
        self._values.popleft()

    def value(self) -> float:
        # Summed anew and exactly: a running sum would drift, and a value could reach a threshold that the mean has not.
        return math.fsum(self._values) / len(self._values)


class _Extreme:
    def __init__(self, function: Function) -> None:
        self._sign = 1 if function == "max" else -1
        self._best: deque[Point] = deque()
        """Those that may still be the extreme, the best first."""

    def enter(self, time_ms: int, value: float) -> None:
        while self._best and self._sign * self._best[-1][1] <= self._sign * value:
            self._best.pop()
        self._best.append((time_ms, value))

    def leave(self, time_ms: int, _: float) -> None:
        if self._best[0][0] <= time_ms:
            self._best.popleft()

    def value(self) -> float:
        return self._best[0][1]


class _Percentile:
    def __init__(self) -> None:
        self._sorted: list[float] = []

    def enter(self, _: int, value: float) -> None:
        insort(self._sorted, value)

    def leave(self, _: int, value: float) -> None:
        del self._sorted[bisect_left(self._sorted, value)]

    def value(self) -> float:
        """The nearest rank: the least value that 95 % of them do not exceed."""
        return self._sorted[math.ceil(0.95 * len(self._sorted)) - 1]


class _Change:
    """From the last value before the window to its last; of a counter that began anew, from there."""

    def __init__(self, function: Function, counter: bool) -> None:
        self._per_second = function == "rate"
        self._counter = counter
        self._points: deque[Point] = deque()
        self._before: Point | None = None

    def enter(self, time_ms: int, value: float) -> None:
        self._points.append((time_ms, value))

    def leave(self, _: int, __: float) -> None:
        self._before = self._points.popleft()

    def value(self) -> float | None:
        points = list(self._points) if self._before is None else [self._before, *self._points]
        if len(points) < 2:
            return None
        (first_ms, first), (last_ms, last) = points[0], points[-1]
        change = last - first
        if self._counter:
            pairs = pairwise(points)
            change = math.fsum(now - was if now >= was else now for (_, was), (_, now) in pairs)
        return change / ((last_ms - first_ms) / 1000) if self._per_second else change
