"""Which batches went where: the spool's state and its pure transitions.

A batch keeps its number for ever: it is its seq in the metrics lane. A batch that grew old before the metrics lane
tried it is handed to the backfill lane, which numbers its merged messages itself. One that the metrics lane may have
tried is never handed over, for then it could arrive twice.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
from typing import NamedTuple

import msgspec
from msgspec import Struct

UNSEEN = 1000
"""More numbers than are given out between two syncs of the disk."""


class Pending(NamedTuple):
    """A backfill message whose content is settled and which the bus has not acknowledged."""

    seq: int
    first: int
    last: int
    batches: int
    """Batches in it; fewer found later means that some were dropped, and it cannot be made again."""


class Cursor(Struct, array_like=True):
    """Persisted with every batch."""

    epoch: str
    newest: int = 0
    """Highest number given to a batch."""
    acked: int = 0
    """The metrics lane is done with every batch up to here: acknowledged, refused, dropped or in `ranges`."""
    allowed: int = 0
    """The metrics lane has tried none above; after a crash all between `acked` and here may have arrived."""
    ranges: list[tuple[int, int]] = []
    """First and last numbers handed to the backfill lane and not acknowledged there, ascending."""
    backfill_seq: int = 0
    pending: Pending | None = None
    dropped: int = 0
    """Batches lost since the spool was made."""
    clean: bool = False
    """The last process that used the spool closed it."""
    missed: int = 0
    """Batches up to here that were never found in the files are counted in `dropped`."""
    place: str = ""
    """Where the spool lay when it was last opened; empty: that was not noted."""
    epochs: list[tuple[int, str]] = []
    """Earlier epochs, each with the last number given under it, ascending."""
    pending_epoch: str = ""
    """Epoch of `pending`; empty: the present one."""
    begun: int = 0
    """First number of a process that could not go on where the last one was; its batches may never reach the disk."""


_NEEDED = ("epoch", "newest", "acked", "ranges")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Cursor)


def encode(cursor: Cursor) -> bytes:
    return _encoder.encode(cursor)


def decode(data: bytes) -> Cursor:
    """Raises msgspec.DecodeError."""
    return _decoder.decode(data)


def understood(data: bytes) -> tuple[Cursor | None, str]:
    """The cursor, as far as this version understands it, and why that is not all of it.

    None when it is not enough to go on with.
    """
    try:
        return decode(data), ""
    except msgspec.DecodeError as error:
        return _salvage(data), str(error)


def _salvage(data: bytes) -> Cursor | None:
    """The fields that this version understands of a cursor that another one wrote."""
    try:
        fields = msgspec.msgpack.decode(data)
    except msgspec.DecodeError:
        return None
    kept = {}
    if isinstance(fields, list):
        for field, value in zip(msgspec.structs.fields(Cursor), fields, strict=False):
            with contextlib.suppress(msgspec.ValidationError):
                kept[field.name] = msgspec.convert(value, field.type)
    return Cursor(**kept) if kept.keys() >= set(_NEEDED) else None


def new_epoch() -> str:
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def epoch_of(cursor: Cursor, number: int) -> str:
    """The epoch under which a batch was numbered."""
    return next((epoch for last, epoch in cursor.epochs if number <= last), cursor.epoch)


def move_to(cursor: Cursor, place: str) -> bool:
    """Begin a new epoch where the spool does not lie where it did: another machine may have a copy of it.

    What waits keeps its epoch and number, so it arrives once even if both send it. True when the epoch is new.
    """
    before, cursor.place = cursor.place, place
    if before in ("", place):
        return False
    cursor.epochs = [(last, epoch) for last, epoch in cursor.epochs if last > cursor.acked]
    if cursor.newest > cursor.acked:
        cursor.epochs.append((cursor.newest, cursor.epoch))
    if cursor.pending is not None:
        cursor.pending_epoch = cursor.pending_epoch or cursor.epoch
    cursor.epoch = new_epoch()
    return True


def is_settled(cursor: Cursor, number: int) -> bool:
    """True when no lane needs the batch any more."""
    return is_done(cursor, number, number)


def is_done(cursor: Cursor, first: int, last: int) -> bool:
    """True when no lane needs any batch from `first` to `last`."""
    return last <= cursor.acked and not any(low <= last and high >= first for low, high in cursor.ranges)


def hand_over(cursor: Cursor, first: int, last: int) -> None:
    """Give the batches `first` to `last`, untried by the metrics lane, to the backfill lane."""
    if cursor.ranges and cursor.ranges[-1][1] == first - 1:
        first = cursor.ranges.pop()[0]
    cursor.ranges.append((first, last))
    cursor.acked = max(cursor.acked, last)


def settle_ranges(cursor: Cursor, upto: int) -> None:
    """The backfill lane is done with every batch of its ranges up to `upto`."""
    cursor.ranges = [(max(first, upto + 1), last) for first, last in cursor.ranges if last > upto]


def go_on_above(cursor: Cursor, now_s: float) -> int:
    """The number for the first batch of a process after one that did not close the spool, noted in `begun`.

    Batches may have gone out that were never on disk, so numbering goes on from the clock, two numbers a second, which
    is above anything given out before. `UNSEEN` covers a clock that is wrong at start, as without a battery, and
    processes that end sooner than the clock moves on by as much.
    """
    cursor.begun = max(max(cursor.newest, cursor.begun) + 1 + UNSEEN, int(now_s * 2))
    return cursor.begun


def distrust(cursor: Cursor) -> None:
    """Make the most careful of a state that may not be the newest, because files are damaged.

    Any batch may have been tried by the metrics lane, so none changes lanes, and backfill messages may have gone out
    that it does not know of, so their seqs are not used again.
    """
    cursor.allowed = max(cursor.allowed, cursor.newest)
    cursor.backfill_seq += UNSEEN
