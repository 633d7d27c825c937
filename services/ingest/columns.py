"""Batches to columns: pure numpy, one array per metric over all batches of a flush.

The work per value is a few vector operations: packed columns of the same layout (header and length) are joined and
decoded as one matrix, a row per column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from schemas.catalogue import COLUMN_LIMITS, Family
from schemas.codec import times_ms
from schemas.columns import SIZES, Column
from schemas.messages import Batch, Series

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_MOST_DELTA = 2**57
"""A larger difference could jump over the range check of a running sum."""
_MOST_CONSTANT = 2**63 - 1

SeriesKey = tuple[str, str]
"""Host name, instance name."""


class OutOfRange(Exception):
    """A value does not fit its column; some batch of the flush is poison."""


@dataclass(slots=True)
class FamilyRows:
    """All rows of one family in a flush: `rows` rows, columns of that length."""

    family: Family
    times_ms: Ints
    series_of_row: Ints
    """Index into `series` per row."""
    series: list[SeriesKey]
    labels: list[dict[str, str]]
    """Per series."""
    values: list[Ints]
    """Per metric in catalogue order; meaningless where null."""
    nulls: list[Bools | None]
    """Per metric: where it is null; None means nowhere."""

    @property
    def rows(self) -> int:
        return len(self.times_ms)

    def keep(self, mask: Bools) -> FamilyRows:
        """Only the rows where `mask` is true."""
        return FamilyRows(
            self.family,
            self.times_ms[mask],
            self.series_of_row[mask],
            self.series,
            self.labels,
            [column[mask] for column in self.values],
            [None if null is None else null[mask] for null in self.nulls],
        )


@dataclass(slots=True)
class _Metric:
    """One metric's columns as they come: where each starts among the family's rows, by layout."""

    packed: dict[tuple[int, int], tuple[list[bytes], list[int]]] = field(default_factory=dict)
    """(header, length) -> the columns and their starts."""
    constants: list[tuple[int, int, int]] = field(default_factory=list)
    """Start, rows and count."""
    unknown: list[tuple[int, int]] = field(default_factory=list)
    """Start and rows of nulls."""

    def add(self, column: Column, start: int, rows: int) -> None:
        if isinstance(column, bytes):
            layout = (column[0], len(column))
            held = self.packed.get(layout)
            if held is None:
                held = self.packed[layout] = ([], [])
            held[0].append(column)
            held[1].append(start)
        elif column is None:
            self.unknown.append((start, rows))
        else:
            self.constants.append((start, rows, column))


@dataclass(slots=True)
class _Gathered:
    """One family's series as they come, before they become arrays."""

    family: Family
    metrics: list[_Metric]
    times: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    series: list[SeriesKey] = field(default_factory=list)
    labels: list[dict[str, str]] = field(default_factory=list)

    def add(self, host: str, at: list[int], series: Series, order: list[int]) -> None:
        """Append one series; `order` has, per metric of the family, the index of its column or -1."""
        rows = len(at)
        if rows == 0:
            return
        start = len(self.times)
        self.times += at
        self.lengths.append(rows)
        self.series.append((host, series.instance))
        self.labels.append(series.labels)
        columns = series.columns
        for metric, index in zip(self.metrics, order, strict=True):
            metric.add(columns[index] if index >= 0 else None, start, rows)


def gather(batches: Sequence[Batch], catalogue: tuple[Family, ...]) -> list[FamilyRows]:
    """The rows of checked `batches`, per family that has any. Raises OutOfRange."""
    families = {family.name: _Gathered(family, [_Metric() for _ in family.metrics]) for family in catalogue}
    for batch in batches:
        times = times_ms(batch.times)
        for block in batch.families:
            gathered = families[block.family]
            place = {code: index for index, code in enumerate(block.codes)}
            order = [place.get(metric.code, -1) for metric in gathered.family.metrics]
            for series in block.series:
                at = times if series.rows is None else [times[row] for row in series.rows]
                gathered.add(batch.host, at, series, order)
    return [_to_arrays(gathered) for gathered in families.values() if gathered.times]


def _to_arrays(gathered: _Gathered) -> FamilyRows:
    """Decode every column of a family."""
    rows = len(gathered.times)
    values = []
    nulls = []
    for metric, columns in zip(gathered.family.metrics, gathered.metrics, strict=True):
        counts, null = _decode(columns, rows)
        low, high = COLUMN_LIMITS[metric.column]
        if counts.min() < low or counts.max() > high:
            raise OutOfRange(f"{gathered.family.name}.{metric.name}: a value outside {low} to {high} ({metric.column})")
        values.append(counts)
        nulls.append(null)
    return FamilyRows(
        gathered.family,
        np.array(gathered.times, dtype=np.int64),
        np.repeat(np.arange(len(gathered.lengths)), gathered.lengths),
        gathered.series,
        gathered.labels,
        values,
        nulls,
    )


def _decode(metric: _Metric, rows: int) -> tuple[Ints, Bools | None]:
    """One metric's counts, something within range where null, and where that is. Raises OutOfRange."""
    counts = np.zeros(rows, dtype=np.int64)
    null = np.zeros(rows, dtype=np.bool_)
    for start, length, count in metric.constants:
        if not -_MOST_CONSTANT <= count <= _MOST_CONSTANT:
            raise OutOfRange("a value beyond 64 bits")
        counts[start : start + length] = count
    for start, length in metric.unknown:
        null[start : start + length] = True
    for (header, length), (columns, starts) in metric.packed.items():
        head, width = SIZES[header >> 4], SIZES[header & 15]
        table = np.frombuffer(b"".join(columns), dtype=np.uint8).reshape(len(columns), length)
        deltas = table[:, 1 + head :].copy().view(f"<i{width}")
        unknown = deltas == np.iinfo(deltas.dtype).min
        steps = np.empty((len(columns), deltas.shape[1] + 1), dtype=np.int64)
        steps[:, 0] = table[:, 1 : 1 + head].copy().view(f"<i{head}")[:, 0] if head else 0
        steps[:, 1:] = deltas
        steps[:, 1:][unknown] = 0
        if max(head, width) == 8 and (steps.min() < -_MOST_DELTA or steps.max() > _MOST_DELTA):
            raise OutOfRange("a difference beyond 57 bits")
        at = np.array(starts)[:, None] + np.arange(steps.shape[1])
        counts[at] = np.cumsum(steps, axis=1)
        if unknown.any():
            null[at[:, 1:]] = unknown
        if not head:
            null[at[:, 0]] = True
    return counts, null if null.any() else None
