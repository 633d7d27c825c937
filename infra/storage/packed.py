"""Whole columns out of PostgreSQL as one value each: numpy reads them without an object per row. Pure.

`array_send` gives an array in its binary form, which is the same in every PostgreSQL: a header of five 32-bit numbers
(dimensions, whether nulls, element type, length, lower bound), then per element its length and its bytes, all in
network byte order. Fixed-length elements without nulls thus lie at equal distances. Measured for an hour at 1 Hz:
half the time of fetching the same rows as records for one metric and two thirds for eight, before any loop over them.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

NO_VALUE = -(2**63)
"""Stands for null in a packed column of counts; no catalogue column reaches so far."""
_HEADER_BYTES = 20
_INTS = np.dtype([("length", ">i4"), ("value", ">i8")])
_FLOATS = np.dtype([("length", ">i4"), ("value", ">f8")])
POSTGRES_EPOCH_US = 946_684_800_000_000
"""1 January 2000 in Unix microseconds: where timestamptz counts from."""


def packed(expression: str) -> str:
    """SQL that packs a column of int8, float8 or timestamptz without nulls."""
    return f"array_send(array_agg({expression}))"


def packed_counts(expression: str) -> str:
    """SQL that packs a column of integers, nulls as NO_VALUE."""
    return packed(f"coalesce({expression}::int8, {NO_VALUE + 1} - 1)")  # 2**63 itself is too large for a literal


def ints(data: bytes) -> Ints:
    """A packed int8 column."""
    return np.frombuffer(data, _INTS, offset=_HEADER_BYTES)["value"].astype(np.int64)


def floats(data: bytes) -> Floats:
    """A packed float8 column."""
    return np.frombuffer(data, _FLOATS, offset=_HEADER_BYTES)["value"].astype(np.float64)


def times_ms(data: bytes) -> Ints:
    """A packed timestamptz column, Unix milliseconds."""
    microseconds: Ints = (ints(data) + POSTGRES_EPOCH_US) // 1000
    return microseconds
