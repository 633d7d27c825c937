"""Which stretch of a range is read from which table: roll-ups where they are clean, finer rows elsewhere. Pure.

Ingest marks every ten-minute slot of a host that gets rows as dirty, and the roll-up job takes the mark away once the
minute rows are right again; the same for hours. So whatever is not marked may be read from the roll-ups.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from schemas.api import Resolution
from schemas.slots import SLOT_MS
from services.gateway.history.resolution import HOUR_MS, LENGTH_MS


class Piece(NamedTuple):
    """Read [from_ms, to_ms) from the rows of `source`."""

    source: Resolution
    from_ms: int
    to_ms: int


class Dirty(Struct, frozen=True):
    """What of one host awaits its roll-up: begins of slots and of hours, Unix milliseconds."""

    slots: Collection[int] = ()
    hours: Collection[int] = ()

    def stretches(self, source: Resolution) -> list[tuple[int, int]]:
        """Where rows of `source` may not be right: disjoint, in order."""
        if source == "minute":
            return _joined((slot, slot + SLOT_MS) for slot in sorted(self.slots))
        hours = {*self.hours, *(slot // HOUR_MS * HOUR_MS for slot in self.slots)}
        return _joined((hour, hour + HOUR_MS) for hour in sorted(hours))


def tile(from_ms: int, to_ms: int, sources: Sequence[Resolution], dirty: Dirty) -> list[Piece]:
    """Pieces that cover [from_ms, to_ms) exactly, in order: each stretch from the first of `sources` that may serve it.

    `sources` go from coarse to fine; the last takes what is left, so it should be raw.
    """
    source, *finer = sources
    if not finer:
        return [Piece(source, from_ms, to_ms)] if from_ms < to_ms else []
    length_ms = LENGTH_MS[source]
    first, last = -(-from_ms // length_ms) * length_ms, to_ms // length_ms * length_ms
    if first >= last:
        return tile(from_ms, to_ms, finer, dirty)
    pieces: list[Piece] = []
    at_ms = from_ms
    for begin, end in _between(first, last, dirty.stretches(source)):
        pieces += tile(at_ms, begin, finer, dirty)
        pieces.append(Piece(source, begin, end))
        at_ms = end
    return [*pieces, *tile(at_ms, to_ms, finer, dirty)]


def split(pieces: Iterable[Piece], length_ms: int) -> Iterator[Piece]:
    """`pieces` cut at whole multiples of `length_ms`."""
    for source, begin, end in pieces:
        at_ms = begin
        while at_ms < end:
            until = min(end, (at_ms // length_ms + 1) * length_ms)
            yield Piece(source, at_ms, until)
            at_ms = until


def rows_of(pieces: Iterable[Piece], period_ms: int) -> int:
    """About how many rows one instance has in `pieces`, sampled every `period_ms`."""
    return sum(-(-(piece.to_ms - piece.from_ms) // max(period_ms, LENGTH_MS[piece.source])) for piece in pieces)


def _between(first: int, last: int, stretches: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What of [first, last) lies outside `stretches`, which are in order."""
    at = first
    for begin, end in stretches:
        if end <= at:
            continue
        if begin >= last:
            break
        if begin > at:
            yield at, begin
        at = end
    if at < last:
        yield at, last


def _joined(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches in order, adjacent ones made one."""
    joined: list[tuple[int, int]] = []
    for begin, end in stretches:
        if joined and joined[-1][1] == begin:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return joined
