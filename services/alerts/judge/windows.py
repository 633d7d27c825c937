"""Functions of the last values of an instance: mean, extremes, percentile, change over a window of sample time. Pure.

Columns are kept as they travel and decoded only when a value in the window could matter, so a rule about a window costs
little more than one about the last value while all is well. A window counts once it is full: what began a moment ago
has no mean of five minutes. A silence begins it anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from schemas.columns import Column, pack_column, unpack_column
from schemas.rules import Function
from services.alerts.judge.sliding import Array, slide

MOST_SEGMENTS = 4000
"""Of one window: an agent that sends a batch a second fills an hour with fewer."""

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
    def segments(self) -> int:
        """How many columns it holds."""
        return len(self._segments)

    @property
    def newest_ms(self) -> int:
        """Time of the last row that it holds; 0: none."""
        return self._segments[-1].times[-1] if self._segments else 0

    def widen(self, gap_ms: int) -> None:
        """Where its host samples so seldom, nothing shorter is a gap."""
        self._gap_ms = max(self._gap_ms, gap_ms)

    def add(self, times: list[int], column: Column) -> Bounds | None:
        """Take in the column of the next batch, which has a row; the bounds of all counts in the window then."""
        if self._segments and times[0] - self._segments[-1].times[-1] > self._gap_ms:
            self._segments.clear()
            self._before = None
        segment = Segment(times, column, _bounds(column, len(times)))
        if self._goes_on(segment):
            self._segments.pop()
        self._segments.append(segment)
        while len(self._segments) > 1 and (
            self._segments[1].times[0] <= times[0] - self._span_ms or len(self._segments) > MOST_SEGMENTS
        ):
            self._drop(self._segments.popleft())
        known = [segment.bounds for segment in self._segments if segment.bounds is not None]
        if self._before is not None:
            known.append((self._before[1], self._before[1]))
        return (min(low for low, _ in known), max(high for _, high in known)) if known else None

    def _goes_on(self, segment: Segment) -> bool:
        """Whether the last segment is between two that say the same, so that nothing depends on it.

        Thus a counter that rests, as nearly all do, costs next to nothing on thousands of hosts.
        """
        if self._function not in ("increase", "min", "max") or len(self._segments) < 2 or segment.bounds is None:
            return False
        return segment.bounds[0] == segment.bounds[1] and (
            self._segments[-2].bounds == self._segments[-1].bounds == segment.bounds
        )

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

    def values(self, least: int, most: int, resolution: float) -> list[tuple[int, float | None]]:
        """The function at each time of the newest batch; None where it has no value, or the window is not full yet.

        Counts outside `least`..`most` are no values.
        """
        newest = self._segments[-1].times
        times, counts = self._points(least, most)
        first = int(np.searchsorted(times, max(newest[0], self._segments[0].times[0] + self._span_ms)))
        values = slide(self._function, times, counts, self._span_ms, first, self._counter, resolution)
        found = dict(zip(times[first:].tolist(), values, strict=True))
        return [(time_ms, found.get(time_ms)) for time_ms in newest]

    def _points(self, least: int, most: int) -> tuple[Array, Array]:
        """Times and counts of all values that it holds."""
        times: list[int] = []
        counts: list[int | None] = []
        if self._before is not None:
            times, counts = [self._before[0]], [self._before[1]]
        for segment in self._segments:
            times += segment.times
            counts += unpack_column(segment.column, len(segment.times))
        if None in counts:
            times = [time_ms for time_ms, count in zip(times, counts, strict=True) if count is not None]
            counts = [count for count in counts if count is not None]
        found = np.array(times, np.int64), np.array(counts, np.int64)
        fits = (found[1] >= least) & (found[1] <= most)
        return (found[0][fits], found[1][fits]) if not fits.all() else found


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
