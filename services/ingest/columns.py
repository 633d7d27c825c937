"""Batches to columns: pure numpy, one array per metric over all batches of a flush.

A Python step per batch, block and series; what is per column, row or value is numpy's (see `services.ingest.unpack`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from schemas.catalogue import COLUMN_LIMITS, Family
from schemas.columns import Column
from schemas.messages import Batch, Series
from services.ingest.unpack import Bools, Ints, Unfit, unpack

SeriesKey = tuple[str, str]
"""Host name, instance name."""


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
class _Gathered:
    """One family's series as they come, before they become arrays."""

    family: Family
    columns: list[Column] = field(default_factory=list)
    """A column per metric of the family, one series after the other."""
    batches: list[int] = field(default_factory=list)
    """Per series: the index of its batch."""
    rows: list[list[int] | None] = field(default_factory=list)
    """Per series: as in `Series`."""
    series: list[SeriesKey] = field(default_factory=list)
    labels: list[dict[str, str]] = field(default_factory=list)

    def add(self, batch: int, host: str, series: Series, order: list[int] | None) -> None:
        """Append one series; `order` has, per metric, the index of its column or -1; None: as in the catalogue."""
        columns = series.columns
        self.columns += columns if order is None else [columns[index] if index >= 0 else None for index in order]
        self.batches.append(batch)
        self.rows.append(series.rows)
        self.series.append((host, series.instance))
        self.labels.append(series.labels)


def values_of(batch: Batch, widths: dict[str, int]) -> int:
    """How many values `batch` becomes; `widths` has the number of metrics per family."""
    times = len(batch.times)
    return sum(
        widths[block.family] * sum([times if series.rows is None else len(series.rows) for series in block.series])
        for block in batch.families
    )


def gather(batches: Sequence[Batch], catalogue: tuple[Family, ...]) -> list[FamilyRows]:
    """The rows of `batches`, checked but for the contents of columns, per family that has any. Raises Unfit."""
    families = {family.name: _Gathered(family) for family in catalogue}
    own_codes = {family.name: [metric.code for metric in family.metrics] for family in catalogue}
    for number, batch in enumerate(batches):
        for block in batch.families:
            order = None
            if block.codes != own_codes[block.family]:
                place = {code: index for index, code in enumerate(block.codes)}
                order = [place.get(code, -1) for code in own_codes[block.family]]
            gathered = families[block.family]
            for series in block.series:
                gathered.add(number, batch.host, series, order)
    return _to_arrays(batches, [gathered for gathered in families.values() if gathered.series])


def _to_arrays(batches: Sequence[Batch], families: list[_Gathered]) -> list[FamilyRows]:
    """Decode all columns of all families at once."""
    lengths = np.array([len(batch.times) for batch in batches], dtype=np.int64)
    first = np.cumsum(lengths) - lengths
    sums = np.cumsum(np.array(list(chain.from_iterable(batch.times for batch in batches)), dtype=np.int64))
    # Sums go on over all batches, and may wrap around 64 bits: the difference of two comes out right all the same.
    times = sums - np.repeat(np.concatenate([[0], sums])[first], lengths)
    counts = [_counts(gathered, lengths) for gathered in families]
    sizes = [int(own.sum()) * len(gathered.family.metrics) for gathered, own in zip(families, counts, strict=True)]
    bases = [sum(sizes[:number]) for number in range(len(sizes))]
    values = np.zeros(sum(sizes), dtype=np.int64)
    nulls = np.zeros(sum(sizes), dtype=np.bool_)
    targets = [
        (base + (np.cumsum(own) - own)[:, None] + own.sum() * np.arange(len(gathered.family.metrics))).ravel()
        for gathered, own, base in zip(families, counts, bases, strict=True)
    ]
    rows = [np.repeat(own, len(gathered.family.metrics)) for gathered, own in zip(families, counts, strict=True)]
    if families:
        columns = list(chain.from_iterable(gathered.columns for gathered in families))
        unpack(columns, np.concatenate(targets), np.concatenate(rows), values, nulls)
    return [
        _family_rows(gathered, own, times[_sampled(gathered, own, first)], values[base:][:size], nulls[base:][:size])
        for gathered, own, base, size in zip(families, counts, bases, sizes, strict=True)
        if size
    ]


def _counts(gathered: _Gathered, lengths: Ints) -> Ints:
    """Rows per series; `lengths` has the number of times per batch."""
    counts: Ints = lengths[gathered.batches]
    chosen = [(index, len(rows)) for index, rows in enumerate(gathered.rows) if rows is not None]
    if chosen:
        index, own = np.array(chosen).T
        counts[index] = own
    return counts


def _sampled(gathered: _Gathered, counts: Ints, first: Ints) -> Ints:
    """The place of each row's time among those of all batches; `first` has where each batch's begin."""
    begins = np.repeat(first[gathered.batches], counts)
    within = np.arange(len(begins)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = np.array([rows is not None for rows in gathered.rows], dtype=np.bool_)
    if chosen.any():
        within[np.repeat(chosen, counts)] = list(chain.from_iterable(rows for rows in gathered.rows if rows))
    places: Ints = begins + within
    return places


def _family_rows(gathered: _Gathered, counts: Ints, times: Ints, values: Ints, nulls: Bools) -> FamilyRows:
    """One family's rows. Raises Unfit for a value that its column cannot take."""
    family = gathered.family
    shape = (len(family.metrics), len(times))
    table, null = values.reshape(shape), nulls.reshape(shape)
    least, most = table.min(axis=1), table.max(axis=1)
    for metric, low, high in zip(family.metrics, least.tolist(), most.tolist(), strict=True):
        lowest, highest = COLUMN_LIMITS[metric.column]
        if low < lowest or high > highest:
            reason = f"{family.name}.{metric.name}: a value outside {lowest} to {highest} ({metric.column})"
            raise Unfit(reason)
    return FamilyRows(
        family,
        times,
        np.repeat(np.arange(len(counts)), counts),
        gathered.series,
        gathered.labels,
        list(table),
        [own if own.any() else None for own in null],
    )
