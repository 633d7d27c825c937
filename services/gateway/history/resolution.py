"""Which step and which resolution a series answer has: the finest round step that the family can fill, the points allow
and the tables still have. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from infra.clock import to_ms
from schemas.api import Resolution

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
LENGTH_MS: dict[Resolution, int] = {"raw": 1, "minute": MINUTE_MS, "hour": HOUR_MS}
"""How long what one row stands for is; ranges answered from such rows begin and end at whole multiples of it."""

FINER: dict[Resolution, tuple[Resolution, ...]] = {"raw": (), "minute": ("raw",), "hour": ("minute", "raw")}

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
"""From so many points on, a first step too many is left out rather than going to a coarser step; with fewer, the ends
of the range are read from finer rows rather than widening it, which would show in a step."""


class Reach(Struct, frozen=True):
    """How far back the tables go: before these times, Unix milliseconds, there are only coarser rows, or none."""

    raw_ms: int = 0
    minute_ms: int = 0
    hour_ms: int = 0

    def begin_ms(self, resolution: Resolution) -> int:
        """From where on rows of `resolution` are whole."""
        return {"raw": self.raw_ms, "minute": self.minute_ms, "hour": self.hour_ms}[resolution]


EVERYTHING = Reach()


def reach_of(horizons: Mapping[str, datetime]) -> Reach:
    """The reach by kind of rows and the moment before which those are dropped; a kind without lost nothing.

    Not by the oldest partition or chunk: those of roll-ups are for weeks, and begin earlier though nothing was dropped.
    """
    return Reach(*(to_ms(horizons[kind]) if kind in horizons else 0 for kind in LENGTH_MS))


class Grid(Struct, frozen=True):
    """Steps that begin at whole multiples of `step_ms` since 1970 and cover [from_ms, to_ms)."""

    from_ms: int
    """Begin of the range answered; later than asked, by one step at most, when the first step was left out."""
    to_ms: int
    step_ms: int
    first: int
    """Number of the first step: it begins at `first * step_ms`."""
    count: int
    resolution: Resolution = "raw"

    @property
    def times_ms(self) -> list[int]:
        """Begin of every step, Unix milliseconds."""
        return [number * self.step_ms for number in range(self.first, self.first + self.count)]


def choose_grid(from_ms: int, to_ms: int, points: int, period_ms: int, reach: Reach = EVERYTHING) -> Grid:
    """The finest grid of at most `points` steps over [from_ms, to_ms), for values that come every `period_ms`.

    No step is shorter than the period, so that each step of an unbroken series has a value. A range that is answered
    from roll-ups in many points is widened to whole minutes or hours, within its first and last step; in few points,
    only as far as finer rows are gone.
    """
    for step_ms in _steps(period_ms):
        grid = _grid(from_ms, to_ms, step_ms)
        if grid.count == points + 1 and points >= SPARE_POINTS:
            second = (grid.first + 1) * step_ms
            grid = Grid(second, to_ms, step_ms, grid.first + 1, points)
        if grid.count > points:
            continue
        resolution = resolution_of(step_ms, period_ms, grid.from_ms, reach)
        if resolution is not None:
            if points < SPARE_POINTS:
                first, last = least_widened(from_ms, to_ms, resolution, reach)
            else:
                first, last = widened(grid.from_ms, grid.to_ms, resolution)
            return Grid(first, last, step_ms, grid.first, grid.count, resolution)
    raise AssertionError("steps grow without end")


def resolution_of(step_ms: int, period_ms: int, from_ms: int, reach: Reach) -> Resolution | None:
    """What steps of `step_ms` are made from: the coarsest rows that make them up; None when those are gone.

    Steps as long as the period come from raw rows, of which each then has one.
    """
    if from_ms >= reach.raw_ms and (step_ms % MINUTE_MS or step_ms == period_ms):
        return "raw"
    if step_ms % HOUR_MS == 0:
        return "hour"
    return "minute" if step_ms % MINUTE_MS == 0 and from_ms >= reach.minute_ms else None


def widened(from_ms: int, to_ms: int, resolution: Resolution) -> tuple[int, int]:
    """The least range of whole minutes or hours that covers [from_ms, to_ms)."""
    length_ms = LENGTH_MS[resolution]
    return from_ms // length_ms * length_ms, -(-to_ms // length_ms) * length_ms


def least_widened(from_ms: int, to_ms: int, resolution: Resolution, reach: Reach) -> tuple[int, int]:
    """The least range around [from_ms, to_ms) that rows of `resolution` make up with the finer ones that there are."""
    first, last = widened(from_ms, to_ms, resolution)
    last_row_ms = last - LENGTH_MS[resolution]
    for finer in FINER[resolution]:
        begin_ms, end_ms = widened(from_ms, to_ms, finer)
        if begin_ms >= reach.begin_ms(finer):
            first = max(first, begin_ms)
        if last_row_ms >= reach.begin_ms(finer):
            last = min(last, end_ms)
    return first, last


def _grid(from_ms: int, to_ms: int, step_ms: int) -> Grid:
    first = from_ms // step_ms
    return Grid(from_ms, to_ms, step_ms, first, (to_ms - 1) // step_ms - first + 1)


def _steps(period_ms: int) -> Iterator[int]:
    """The period, then round multiples of it below a minute, then all round steps, then doublings of the last."""
    yield period_ms
    for step_ms in NICE_STEPS_MS:
        if step_ms > period_ms and (step_ms >= MINUTE_MS or step_ms % period_ms == 0):
            yield step_ms
    last = max(NICE_STEPS_MS[-1], -(-period_ms // NICE_STEPS_MS[-1]) * NICE_STEPS_MS[-1])
    while True:
        last *= 2
        yield last
