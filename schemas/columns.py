"""One metric's counts over the rows of a series, as they travel.

None stands for nulls only, an integer for the same count at every row. Anything else is bytes, little-endian:

* a header byte: the size of the first count (0: it is null; else 1, 2, 4 or 8 bytes as code 1 to 4) in the upper four
  bits, the size of a difference (likewise) in the lower four;
* the first count, signed;
* per further row the difference to the last count that is not null (to 0 when there is none), signed; the smallest
  number of its size stands for null.

So most counts take one byte, and a reader decodes whole columns with a few vector operations.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

Column = None | int | bytes

SIZES: tuple[int, ...] = (0, 1, 2, 4, 8)
"""Bytes per size code."""
_FORMATS = ("", "b", "h", "i", "q")
_LIMITS = (0, 2**7 - 1, 2**15 - 1, 2**31 - 1, 2**63 - 1)
_NULLS = (0, -(2**7), -(2**15), -(2**31), -(2**63))


class InvalidColumn(ValueError):
    """Bytes that are no column of the rows at hand."""


def pack_column(counts: Sequence[int | None]) -> Column:
    """`counts`, at least one, each within 62 bits, as they travel."""
    first = counts[0]
    if counts.count(first) == len(counts):
        return first
    last = first or 0
    deltas: list[int | None] = []
    largest = 0
    for count in counts[1:]:
        if count is None:
            deltas.append(None)
        else:
            delta = count - last
            deltas.append(delta)
            last = count
            if delta > largest:
                largest = delta
            elif -delta > largest:
                largest = -delta
    width = _code(largest)
    null = _NULLS[width]
    head = 0 if first is None else _code(abs(first))
    return struct.pack(
        f"<B{_FORMATS[head]}{len(deltas)}{_FORMATS[width]}",
        head << 4 | width,
        *(() if first is None else (first,)),
        *(null if delta is None else delta for delta in deltas),
    )


def _code(magnitude: int) -> int:
    """Size code for numbers of this magnitude."""
    for code in (1, 2, 3):
        if magnitude <= _LIMITS[code]:
            return code
    return 4


def unpack_column(column: Column, rows: int) -> list[int | None]:
    """The counts of a checked column of `rows` rows."""
    if not isinstance(column, bytes):
        return [column] * rows
    head, width = column[0] >> 4, column[0] & 15
    null = _NULLS[width]
    numbers = struct.unpack(f"<B{_FORMATS[head]}{rows - 1}{_FORMATS[width]}", column)
    counts: list[int | None] = [numbers[1] if head else None]
    last = counts[0] or 0
    for delta in numbers[2 if head else 1 :]:
        if delta == null:
            counts.append(None)
        else:
            last += delta
            counts.append(last)
    return counts


def column_bounds(column: Column, rows: int) -> tuple[int, int] | None:
    """Counts between which all of a checked column lie, often wider than need be, found without unpacking it.

    None when it has nulls only.
    """
    if not isinstance(column, bytes):
        return None if column is None else (column, column)
    head, width = column[0] >> 4, column[0] & 15
    first = int.from_bytes(column[1 : 1 + SIZES[head]], "little", signed=True)
    reach = (rows - 1) * _LIMITS[width]
    return first - reach, first + reach


def check_column(column: Column, rows: int) -> None:
    """Raise InvalidColumn unless `column` has counts for exactly `rows` rows."""
    if isinstance(column, bytes):
        head, width = (column[0] >> 4, column[0] & 15) if column else (15, 15)
        if head > 4 or not 1 <= width <= 4 or rows < 2:
            raise InvalidColumn(f"a packed column with header {column[:1].hex() or 'missing'} for {rows} rows")
        if len(column) != 1 + SIZES[head] + (rows - 1) * SIZES[width]:
            raise InvalidColumn(f"a column of {len(column)} bytes for {rows} rows")
