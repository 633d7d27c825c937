"""Columns as they travel to counts, many at once: pure numpy.

Packed columns of the same layout (header and rows), whatever metric they are of, are decoded as one matrix, so that the
work per value is a few vector operations. The format is that of `schemas.columns`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from schemas.columns import SIZES, Column

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_MOST_DELTA = 2**57
"""A larger difference could jump over the range check of a running sum."""
_LOOPED_COLUMNS = 32
"""From so many columns on, adding row after row is quicker than a running sum per column."""
_SIZES = np.array([*SIZES, *[-1] * (16 - len(SIZES))])
"""Bytes per size code of a header; -1: no such code."""


class Unfit(Exception):
    """A column is no column of its rows, or a value does not fit; some batch of the flush is poison."""


def unpack(columns: Sequence[Column], targets: Ints, rows: Ints, values: Ints, nulls: Bools) -> None:
    """Put the counts of each of `columns` into `values`, and where they are null into `nulls`, from its target on.

    `rows` has how many rows each has. Raises Unfit.
    """
    packed = np.array([isinstance(column, bytes) for column in columns], dtype=np.bool_)
    if not packed.all():
        whole = [column for column in columns if not isinstance(column, bytes)]
        _unpack_whole(whole, targets[~packed], rows[~packed], values, nulls)
    if packed.any():
        data = [column for column in columns if isinstance(column, bytes)]
        _unpack_packed(data, targets[packed], rows[packed], values, nulls)


def _unpack_whole(columns: list[int | None], targets: Ints, rows: Ints, values: Ints, nulls: Bools) -> None:
    """Columns that are one count, or null, at every row."""
    unknown = np.array([column is None for column in columns], dtype=np.bool_)
    nulls[_spread(targets[unknown], rows[unknown])] = True
    try:
        counts = np.array([column for column in columns if column is not None], dtype=np.int64)
    except OverflowError:
        raise Unfit("a value beyond 64 bits") from None
    known = rows[~unknown]
    values[_spread(targets[~unknown], known)] = np.repeat(counts, known)


def _spread(targets: Ints, rows: Ints) -> Ints:
    """The places of all rows, one column's after the other's."""
    places: Ints = np.repeat(targets - (np.cumsum(rows) - rows), rows) + np.arange(rows.sum())
    return places


def _unpack_packed(columns: list[bytes], targets: Ints, rows: Ints, values: Ints, nulls: Bools) -> None:
    lengths = np.array([len(column) for column in columns])
    if not lengths.all():
        raise Unfit("an empty column")
    buffer = np.frombuffer(b"".join(columns), dtype=np.uint8)
    starts = np.cumsum(lengths) - lengths
    headers = buffer[starts]
    head, width = _SIZES[headers >> 4], _SIZES[headers & 15]
    valid = (head >= 0) & (width > 0) & (rows >= 2) & (lengths == 1 + head + (rows - 1) * width)
    if not valid.all():
        wrong = int(np.flatnonzero(~valid)[0])
        raise Unfit(f"a column of {lengths[wrong]} bytes, header {headers[wrong]:02x}, for {rows[wrong]} rows")
    layout = rows * 256 + headers
    if layout.max() < 2**16:
        layout = layout.astype(np.uint16)  # sorted by radix, many times as quickly
    order = np.argsort(layout, kind="stable")
    ranked = layout[order]
    edges = np.flatnonzero(ranked[1:] != ranked[:-1]) + 1
    for group in np.split(order, edges):
        first = group[0]
        table = sliding_window_view(buffer, int(lengths[first]))[starts[group]]
        _unpack_layout(table, int(headers[first]), targets[group], values, nulls)


def _unpack_layout(table: npt.NDArray[np.uint8], header: int, targets: Ints, values: Ints, nulls: Bools) -> None:
    """Columns of one layout, a row of `table` each."""
    head, width = SIZES[header >> 4], SIZES[header & 15]
    deltas = table[:, 1 + head :].copy().view(f"<i{width}")
    unknown = deltas == np.iinfo(deltas.dtype).min
    some_unknown = bool(unknown.any())
    steps = np.empty((deltas.shape[1] + 1, len(table)), dtype=np.int64)  # a column of the matrix per column
    steps[0] = table[:, 1 : 1 + head].copy().view(f"<i{head}")[:, 0] if head else 0
    steps[1:] = deltas.T
    if some_unknown:
        steps[1:][unknown.T] = 0
    if max(head, width) == 8 and (steps.min() < -_MOST_DELTA or steps.max() > _MOST_DELTA):
        raise Unfit("a difference beyond 57 bits")
    if len(table) >= _LOOPED_COLUMNS:
        for row in range(1, len(steps)):
            steps[row] += steps[row - 1]
    else:
        np.cumsum(steps, axis=0, out=steps)
    sliding_window_view(values, len(steps), writeable=True)[targets] = steps.T
    if some_unknown:
        sliding_window_view(nulls, len(steps) - 1, writeable=True)[targets + 1] = unknown
    if not head:
        nulls[targets] = True
