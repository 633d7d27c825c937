"""Columns to PostgreSQL's binary COPY format, as one buffer made by numpy.

Source: PostgreSQL documentation, COPY, "Binary Format": a header, then per row a field count and per field its length
in bytes (-1: null, no data) and its data in network byte order, then a trailer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from infra.storage.packed import POSTGRES_EPOCH_US
from services.ingest.unpack import Bools, Ints

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_BYTES = {"int2": 2, "int4": 4, "int8": 8, "numeric": 18}
_NUMERIC_DIGITS = 5
"""Of base 10,000: as many as 2**63 has. PostgreSQL drops those that lead or follow and are 0."""
_NEGATIVE = 0x4000


@dataclass(frozen=True, slots=True)
class Field:
    """One column to copy."""

    kind: str
    """int2, int4, int8, or numeric for a whole one."""
    values: Ints
    nulls: Bools | None = None


def timestamps(times_ms: Ints) -> Field:
    """Unix milliseconds as a timestamptz column."""
    return Field("int8", times_ms * 1000 - POSTGRES_EPOCH_US)


def encode_copy(fields: Sequence[Field]) -> bytearray:
    """The COPY stream of rows with `fields`, which have equal lengths."""
    rows = len(fields[0].values)
    layout: list[tuple[str, str] | tuple[str, str, int]] = [("count", ">i2")]
    for index, column in enumerate(fields):
        layout.append((f"length{index}", ">i4"))
        if not _all_null(column):
            layout.append(
                (f"value{index}", ">i2", 9)
                if column.kind == "numeric"
                else (f"value{index}", f">i{_BYTES[column.kind]}")
            )
    record = np.dtype(layout)
    stream = bytearray(len(HEADER) + rows * record.itemsize + len(TRAILER))
    table = np.ndarray(rows, record, stream, len(HEADER))
    table["count"] = len(fields)
    partial = []
    for index, column in enumerate(fields):
        size = _BYTES[column.kind]
        if _all_null(column):
            table[f"length{index}"] = -1
            continue
        table[f"value{index}"] = _numerics(column.values) if column.kind == "numeric" else column.values
        if column.nulls is None or not column.nulls.any():
            table[f"length{index}"] = size
        else:
            table[f"length{index}"] = np.where(column.nulls, -1, size)
            partial.append((record.fields[f"value{index}"][1], size, column.nulls))  # type: ignore[index]
    if partial:
        raw = np.ndarray((rows, record.itemsize), np.uint8, stream, len(HEADER))
        keep = np.ones(raw.shape, dtype=np.bool_)
        for offset, size, nulls in partial:
            keep[nulls, offset : offset + size] = False
        return bytearray(b"".join((HEADER, raw[keep].data, TRAILER)))
    stream[: len(HEADER)] = HEADER
    stream[-len(TRAILER) :] = TRAILER
    return stream


def _numerics(values: Ints) -> Ints:
    """Whole numbers as rows of numeric_send: how many digits, weight of the first, sign, digits after the point."""
    rows = np.zeros((len(values), 4 + _NUMERIC_DIGITS), dtype=np.int64)
    rows[:, 0] = _NUMERIC_DIGITS
    rows[:, 1] = _NUMERIC_DIGITS - 1
    rows[:, 2] = np.where(values < 0, _NEGATIVE, 0)
    left = np.abs(values)
    for place in range(4 + _NUMERIC_DIGITS - 1, 3, -1):
        left, rows[:, place] = np.divmod(left, 10_000)
    return rows


def _all_null(column: Field) -> bool:
    return column.nulls is not None and bool(column.nulls.all())
