"""Which step a series answer has: the finest round one that the family can fill and the points allow. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

NICE_STEPS_MS = tuple(
    1000 * seconds
    for seconds in (
        *(1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30),
        *(60, 120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800),
        *(3600, 7200, 10800, 14400, 21600, 43200, 86400),
    )
)
"""Steps that divide a minute, an hour or a day, so that days and hours begin with a step."""

SPARE_POINTS = 50
"""From so many points on, an incomplete first step is left out rather than going to a coarser step."""


class Grid(Struct, frozen=True):
    """Steps that begin at whole multiples of `step_ms` since 1970 and cover [from_ms, to_ms)."""

    from_ms: int
    """Begin of the range answered; later than asked when the incomplete first step was left out."""
    to_ms: int
    step_ms: int
    first: int
    """Number of the first step: it begins at `first * step_ms`."""
    count: int

    @property
    def times_ms(self) -> list[int]:
        """Begin of every step, Unix milliseconds."""
        return [number * self.step_ms for number in range(self.first, self.first + self.count)]


def choose_grid(from_ms: int, to_ms: int, points: int, period_ms: int) -> Grid:
    """The finest grid of at most `points` steps over [from_ms, to_ms), for values that come every `period_ms`.

    The step is a multiple of the period, so that each step of an unbroken series has a value.
    """
    for step_ms in _steps(period_ms):
        grid = _grid(from_ms, to_ms, step_ms)
        if grid.count == points + 1 and points >= SPARE_POINTS:
            second = (grid.first + 1) * step_ms
            grid = Grid(second, to_ms, step_ms, grid.first + 1, points)
        if grid.count <= points:
            return grid
    raise AssertionError("steps grow without end")


def _grid(from_ms: int, to_ms: int, step_ms: int) -> Grid:
    first = from_ms // step_ms
    return Grid(from_ms, to_ms, step_ms, first, (to_ms - 1) // step_ms - first + 1)


def _steps(period_ms: int) -> Iterator[int]:
    """The period, then round multiples of it, then doublings."""
    yield period_ms
    last = period_ms
    for step_ms in NICE_STEPS_MS:
        if step_ms > period_ms and step_ms % period_ms == 0:
            yield step_ms
            last = step_ms
    while True:
        last *= 2
        yield last
