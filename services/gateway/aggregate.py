"""Rows of a query to the aligned columns of a series answer. Pure.

At the finest resolution a step is as long as the sampling period and should hold one row. A sampler whose ticks fall
on the border of a step would, with a little jitter, put two rows into one step and leave the next empty. So each
unbroken run of rows goes by the nearest border instead of the last one where that leaves fewer holes; see `place`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from schemas.api import SeriesColumn
from schemas.catalogue import Family, Metric
from services.gateway.resolution import Grid
from services.gateway.units import Value, mean_to_unit, to_unit

Step = tuple[int, Sequence[tuple[float | None, int | None, int | None]]]
"""Index of a step in the grid, then mean, least and greatest count per metric."""


def columns(
    family: Family, metrics: Sequence[Metric], instance: str, grid: Grid, steps: Iterable[Step]
) -> list[SeriesColumn]:
    """One column per metric of one instance; a step that is not in `steps` is a gap."""
    answer = [
        SeriesColumn(f"{family.name}.{m.name}", instance, m.unit, gaps(grid), gaps(grid), gaps(grid)) for m in metrics
    ]
    convert = [to_unit(metric) for metric in metrics]
    for index, values in steps:
        for column, metric, to_value, (mean, least, greatest) in zip(answer, metrics, convert, values, strict=True):
            if mean is None or least is None or greatest is None:
                continue
            column.min[index] = to_value(least)
            column.max[index] = to_value(greatest)
            column.avg[index] = to_value(least) if least == greatest else mean_to_unit(metric, mean)
    return answer


def gaps(grid: Grid) -> list[Value]:
    """A column in which nothing is known."""
    return [None] * grid.count


def steps_of_rows(grid: Grid, times_ms: Sequence[int], rows: Sequence[Sequence[int | None]]) -> list[Step]:
    """Steps of stored rows, which are in order of time; `rows` has one count per metric."""
    by_step: dict[int, list[Sequence[int | None]]] = {}
    for index, row in zip(place(times_ms, grid), rows, strict=True):
        by_step.setdefault(index, []).append(row)
    return [(index, [_summary(counts) for counts in zip(*group, strict=True)]) for index, group in by_step.items()]


def _summary(counts: Sequence[int | None]) -> tuple[float | None, int | None, int | None]:
    known = [count for count in counts if count is not None]
    return (sum(known) / len(known), min(known), max(known)) if known else (None, None, None)


def place(times_ms: Sequence[int], grid: Grid) -> list[int]:
    """The step of each row as an index into the grid; `times_ms` ascend and lie within the grid's range."""
    half = grid.step_ms // 2
    placed: list[int] = []
    for run in _runs(times_ms, grid.step_ms * 1.5):
        floored = [time // grid.step_ms - grid.first for time in run]
        if _faults(floored):
            nearest = [min((time + half) // grid.step_ms - grid.first, grid.count - 1) for time in run]
            placed += nearest if _faults(nearest) < _faults(floored) else floored
        else:
            placed += floored
    return placed


def _runs(times_ms: Sequence[int], longest_ms: float) -> Iterator[Sequence[int]]:
    """`times_ms` cut wherever two neighbours are more than `longest_ms` apart."""
    start = 0
    for k in range(1, len(times_ms) + 1):
        if k == len(times_ms) or times_ms[k] - times_ms[k - 1] > longest_ms:
            yield times_ms[start:k]
            start = k


def _faults(placed: Sequence[int]) -> int:
    """Steps that hold two rows, or none between two that do."""
    return sum(after - before != 1 for before, after in pairwise(placed))
