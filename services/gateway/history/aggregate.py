"""Rows and sums of rows to the aligned columns of a series answer. Pure.

At the finest resolution a step is as long as the sampling period and should hold one row. A sampler whose ticks fall
on the border of a step would, with a little jitter, put two rows into one step and leave the next empty. So each
unbroken run of rows goes by the nearest border instead of the last one where that leaves fewer holes; see `place`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra.storage.packed import NO_VALUE, Floats, Ints
from schemas.catalogue import Metric
from services.gateway.fleet.units import Value, counts_to_unit, means_to_unit
from services.gateway.history.resolution import Grid


class Summary:
    """Count, sum, least and greatest of one metric of one instance in every step of a grid."""

    __slots__ = ("greatest", "known", "least", "total")

    def __init__(self, grid: Grid) -> None:
        self.known: Ints = np.zeros(grid.count, np.int64)
        self.total: Floats = np.zeros(grid.count, np.float64)
        self.least: Ints = np.full(grid.count, np.iinfo(np.int64).max)
        self.greatest: Ints = np.full(grid.count, np.iinfo(np.int64).min)

    def add(self, index: Ints, known: Ints, total: Floats, least: Ints, greatest: Ints) -> None:
        """Take in sums over parts of steps; `index` says of which step each is, and may say the same one twice."""
        there = known > 0
        index = index[there]
        np.add.at(self.known, index, known[there])
        np.add.at(self.total, index, total[there])
        np.minimum.at(self.least, index, least[there])
        np.maximum.at(self.greatest, index, greatest[there])

    def add_rows(self, index: Ints, counts: Ints) -> None:
        """Take in single counts, NO_VALUE where there is none."""
        self.add(index, (counts != NO_VALUE).astype(np.int64), counts.astype(np.float64), counts, counts)

    @property
    def empty(self) -> bool:
        """Whether nothing is known of any step."""
        return not self.known.any()

    def mean(self) -> float | None:
        """The mean count over the whole grid; None when nothing is known."""
        known = int(self.known.sum())
        return float(self.total.sum()) / known if known else None

    def peak(self) -> int | None:
        """The greatest count in the whole grid; None when nothing is known."""
        return None if self.empty else int(self.greatest.max())

    def columns(self, metric: Metric) -> tuple[list[Value], list[Value], list[Value]]:
        """Average, least and greatest value per step in the metric's unit; None in steps of which nothing is known."""
        there = self.known > 0
        least = counts_to_unit(metric, self.least[there])
        greatest = counts_to_unit(metric, self.greatest[there])
        means = means_to_unit(metric, self.total[there] / self.known[there])
        # One value, or the same value always, is not rounded as a mean.
        average = np.where(self.least[there] == self.greatest[there], least, means)
        if least.dtype == np.int64 and bool((average == least).all()):
            average = least  # whole numbers stay whole in JSON
        return _spread(average, there), _spread(least, there), _spread(greatest, there)


def _spread(values: NDArray[Any], there: NDArray[np.bool_]) -> list[Value]:
    if there.all():
        found: list[Value] = values.tolist()
        return found
    column = np.full(len(there), None, dtype=object)
    column[there] = values.tolist()
    spread: list[Value] = column.tolist()
    return spread


def place(times_ms: Ints, grid: Grid) -> Ints:
    """The step of each row as an index into the grid; `times_ms` ascend and lie within the grid's range."""
    floored: Ints = times_ms // grid.step_ms - grid.first
    if len(times_ms) < 2:
        return floored
    nearest = np.minimum((times_ms + grid.step_ms // 2) // grid.step_ms - grid.first, grid.count - 1)
    breaks = np.flatnonzero(np.diff(times_ms) > grid.step_ms * 1.5) + 1
    starts = np.concatenate(([0], breaks))
    better = _faults(nearest, starts) < _faults(floored, starts)
    lengths = np.diff(np.concatenate((starts, [len(times_ms)])))
    placed: Ints = np.where(np.repeat(better, lengths), nearest, floored)
    return placed


def _faults(placed: Ints, starts: Ints) -> Ints:
    """Per run of rows, of which `starts` are the first: steps that hold two, or none between two that do."""
    faulty = np.concatenate(([0], np.diff(placed) != 1)).astype(np.int64)
    faulty[starts] = 0
    counted: Ints = np.add.reduceat(faulty, starts)
    return counted
